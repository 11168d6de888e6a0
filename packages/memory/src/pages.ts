/** Unit in which WebAssembly grows a memory, and in which images are copied and saved. */
export const CHUNK_BYTES = 65_536;
/** Unit of copy-on-write, and of what is reported as dirty. */
export const PAGE_BYTES = 4096;
export const PAGE_WORDS: number = PAGE_BYTES / 4;
/** A linear memory with 32-bit addresses ends here. @see WebAssembly JavaScript Interface, "Limits" */
export const MEMORY_BYTES_MAX = 65_536 * CHUNK_BYTES;

/** Pages [start, end). */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Ascending page numbers as ranges. Ranges with at most `gapMax` pages between them become one, so that a few pages
 * too many stand for fewer ranges.
 */
export function pageRanges(pages: Iterable<number>, gapMax = 0): PageRange[] {
  const ranges: { start: number; end: number }[] = [];
  for (const page of pages) {
    const last = ranges.at(-1);
    if (last && page - last.end <= gapMax) last.end = page + 1;
    else ranges.push({ start: page, end: page + 1 });
  }
  return ranges;
}

/** Ascending ranges with at most `gapMax` pages between them, as one. */
export function mergeRanges(ranges: Iterable<PageRange>, gapMax: number): PageRange[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of ranges) {
    const last = merged.at(-1);
    if (last && start - last.end <= gapMax) last.end = end;
    else merged.push({ start, end });
  }
  return merged;
}

/** Lays `upper` over `lower`: what is left of `lower`, and `upper`, ascending. Each is ascending and disjoint. */
export function overlay<T extends PageRange>(lower: readonly T[], upper: readonly T[]): T[] {
  const out = [...upper];
  for (const range of lower) {
    let { start } = range;
    for (const cover of upper) {
      if (cover.end <= start || cover.start >= range.end) continue;
      if (cover.start > start) out.push({ ...range, start, end: cover.start });
      start = cover.end;
    }
    if (start < range.end) out.push({ ...range, start });
  }
  return out.toSorted((a, b) => a.start - b.start);
}

/** Whether all words of the range are zero. */
export function isZero(words: Int32Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (words[i] !== 0) return false;
  return true;
}

/** Whether words [start, end) equal those of a copy that begins at word `copyStart`. */
export function isEqual(
  words: Int32Array,
  copy: Int32Array,
  start: number,
  end: number,
  copyStart: number,
): boolean {
  for (let i = start; i < end; i++) if (words[i] !== copy[i - copyStart]) return false;
  return true;
}

/** Whether a page of a memory is all zeros. */
export function isZeroPage(words: Int32Array, page: number): boolean {
  return isZero(words, page * PAGE_WORDS, (page + 1) * PAGE_WORDS);
}

/** Part of an ELF file of 64 bits, little-endian. @see System V ABI, chapters 4 and 5 */
export interface Elf {
  readonly entry: number;
  /** What to put at physical addresses; zeros behind the bytes belong to it, too. */
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  readonly symbols: ReadonlyMap<string, number>;
}

const LOAD = 1;
const SYMBOL_TABLE = 2;

export function readElf(file: Uint8Array): Elf {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const long = (at: number): number => Number(view.getBigUint64(at, true));
  const short = (at: number): number => view.getUint16(at, true);
  const segments = list(long(32), short(54), short(56))
    .filter((at) => view.getUint32(at, true) === LOAD)
    .map((at) => ({
      address: long(at + 24),
      bytes: file.subarray(long(at + 8), long(at + 8) + long(at + 32)),
    }));
  const sections = list(long(40), short(58), short(60));
  const symbols = new Map<string, number>();
  for (const section of sections) {
    if (view.getUint32(section + 4, true) !== SYMBOL_TABLE) continue;
    const names = long(sections[view.getUint32(section + 40, true)]! + 24);
    for (const at of list(long(section + 24), 24, long(section + 32) / 24)) {
      symbols.set(text(file, names + view.getUint32(at, true)), long(at + 8));
    }
  }
  return { entry: long(24), segments, symbols };
}

function list(start: number, size: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i * size);
}

function text(file: Uint8Array, at: number): string {
  return new TextDecoder('latin1').decode(file.subarray(at, file.indexOf(0, at)));
}

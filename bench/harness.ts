import { loadavg } from 'node:os';

/** One promise of SPECIFICATION.md, measured. */
export interface Bench {
  readonly summary: string;
  run(options: BenchOptions): Promise<Figures>;
}

export interface BenchOptions {
  readonly rounds: number;
}

export type Figures = Readonly<Record<string, Figure>>;

export interface Figure {
  /** Median over the rounds. */
  readonly ours: number;
  /** Median over the rounds; null where there is no peer, only a limit that we promise. */
  readonly peer: number | null;
  /** How many times better than the peer we are: peer / ours for costs, ours / peer for rates. Median of the rounds. */
  readonly ratio: number | null;
  readonly unit: string;
  /** Lowest and highest of the rounds: of `ratio`, or of `ours` where there is no peer. */
  readonly spread: readonly [number, number];
}

/** Whether more is better (requests a second) or less (milliseconds). */
export type Sense = 'rate' | 'cost';

/** A figure of paired rounds: `peer[i]` was measured right beside `ours[i]`. */
export function compare(
  ours: readonly number[],
  peer: readonly number[],
  unit: string,
  sense: Sense = 'cost',
): Figure {
  const ratios = ours.map((value, i) => (sense === 'cost' ? peer[i]! / value : value / peer[i]!));
  return {
    ours: median(ours),
    peer: median(peer),
    ratio: median(ratios),
    unit,
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** A figure that stands for itself. */
export function alone(ours: readonly number[], unit: string): Figure {
  return {
    ours: median(ours),
    peer: null,
    ratio: null,
    unit,
    spread: [Math.min(...ours), Math.max(...ours)],
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Microseconds of each of `count` calls. */
export async function timeEach(count: number, call: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    await call();
    times.push((performance.now() - startMs) * 1000);
  }
  return times;
}

/** Prints a table, and as the last line the same as JSON. */
export function report(bench: string, rounds: number, figures: Figures): void {
  const load = loadavg()[0]!;
  const rows = Object.entries(figures).map(([name, figure]) => [
    name,
    show(figure.ours),
    figure.peer === null ? '' : show(figure.peer),
    figure.ratio === null ? '' : `${show(figure.ratio)}x`,
    `${show(figure.spread[0])} … ${show(figure.spread[1])}`,
    figure.unit,
  ]);
  const table = [['', 'ours', 'peer', 'ratio', 'spread', 'unit'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) {
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  '),
    );
  }
  console.log(`${rounds} interleaved rounds, load average ${load.toFixed(2)}`);
  console.log(JSON.stringify({ bench, rounds, load, figures }));
}

function show(value: number): string {
  if (value === 0) return '0';
  const digits =
    Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

import type { UsageView } from '@polyvisor/host/control/views';
import { Ring } from '@polyvisor/host/ring';

/** Usage of one guest between two looks. */
export interface Sample {
  /** Seconds, on the page's clock. */
  readonly time: number;
  /** Share of one CPU, 1 is all of it. */
  readonly cpu: number;
  /** Bytes that the guest alone holds. */
  readonly memory: number;
  /** Units of work (gas) a second. */
  readonly work: number;
}

export type SampleField = Exclude<keyof Sample, 'time'>;

/** The newest samples of a guest, made from its running totals. */
export class SampleRing {
  readonly #samples: Ring<Sample>;
  #before: { readonly timeMs: number; readonly cpuMs: number; readonly work: bigint } | undefined;

  constructor(samplesMax: number = SAMPLES_MAX) {
    this.#samples = new Ring(samplesMax);
  }

  /** @param timeMs when the totals were read, milliseconds */
  push(timeMs: number, usage: Pick<UsageView, 'cpuMs' | 'work' | 'memoryBytes'>): void {
    const now = { timeMs, cpuMs: usage.cpuMs, work: BigInt(usage.work) };
    const before = this.#before;
    this.#before = now;
    // Totals that went back belong to a new start of the guest or the host.
    if (before === undefined || now.cpuMs < before.cpuMs || now.work < before.work) return;
    const elapsedMs = timeMs - before.timeMs;
    if (elapsedMs <= 0) return;
    this.#samples.push({
      time: timeMs / 1000,
      cpu: (now.cpuMs - before.cpuMs) / elapsedMs,
      memory: usage.memoryBytes,
      work: (Number(now.work - before.work) * 1000) / elapsedMs,
    });
  }

  get newest(): Sample | undefined {
    return this.#samples.since(undefined, 1)[0];
  }

  /** Two columns, as the chart draws them: times and values, oldest first. */
  columns(field: SampleField): [times: number[], values: number[]] {
    const samples = this.#samples.since();
    return [samples.map(({ time }) => time), samples.map((sample) => sample[field])];
  }
}

/** Two minutes of a sample a second. */
const SAMPLES_MAX = 120;

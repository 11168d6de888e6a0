import { Local } from '@polyvisor/wasm/assembler';
import type { FunctionWriter } from '@polyvisor/wasm/function-writer';
import type { ValueType } from '@polyvisor/wasm/types';

/** Hands out a function's locals, and hands them out again: compiling costs what the locals are many. */
export class LocalPool {
  readonly #f: FunctionWriter;
  readonly #owned: Local[] = [];
  readonly #free = new Map<ValueType, number[]>();
  #taken = 0;

  constructor(f: FunctionWriter) {
    this.#f = f;
  }

  take(type: ValueType): number {
    this.#taken++;
    const free = this.#free.get(type)?.pop();
    if (free !== undefined) return free;
    const index = this.#f.local(type);
    this.#owned.push(new Local(index, type));
    return index;
  }

  /** Takes back all but these, when there is enough to take back. */
  keep(isLive: () => ReadonlySet<number>): void {
    if (this.#taken < TAKEN_MIN) return;
    this.#taken = 0;
    const live = isLive();
    this.#free.clear();
    for (const { index, type } of this.#owned) {
      if (live.has(index)) continue;
      const list = this.#free.get(type);
      if (list) list.push(index);
      else this.#free.set(type, [index]);
    }
  }
}

const TAKEN_MIN = 32;

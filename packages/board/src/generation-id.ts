import { assert } from '@polyvisor/errors/assert';
import type { InterruptLine, MmioDevice } from './device.ts';
import { WINDOW_BYTES } from './layout.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';

export const GENERATION_ID_BYTES = 16;

/**
 * A number that changes when the computer is not what it was: went back to a snapshot, or is a copy of another. A
 * kernel that looks at it gives out no random bytes twice.
 * @see Microsoft, "Virtual Machine Generation ID"; Linux, Documentation/devicetree/bindings/rng/microsoft,vmgenid.yaml
 */
export class GenerationId implements MmioDevice, Stateful {
  readonly size = WINDOW_BYTES;
  readonly #line: InterruptLine;
  readonly #id = new Uint8Array(GENERATION_ID_BYTES);

  constructor(line: InterruptLine) {
    this.#line = line;
  }

  /** @param id 16 random bytes, never given before */
  renew(id: Uint8Array): void {
    assert(id.length === GENERATION_ID_BYTES, 'a generation has 16 bytes');
    this.#id.set(id);
    // Its driver does not say that it has seen it: an edge, which the interrupt controller keeps.
    this.#line(true);
    this.#line(false);
  }

  load(offset: number, size: 1 | 2 | 4 | 8): number | bigint {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#id[offset + i] ?? 0);
    return size === 8 ? value : Number(value);
  }

  store(): void {}

  saveState(out: StateWriter): void {
    out.bytes(this.#id);
  }

  loadState(from: StateReader): void {
    this.#id.set(from.bytes(GENERATION_ID_BYTES));
  }
}

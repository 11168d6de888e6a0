import type { MmioDevice } from './device.ts';
import { WINDOW_BYTES } from './layout.ts';

/** How the guest ended, by its own wish. */
export type PowerEnd =
  | { readonly kind: 'poweroff' }
  | { readonly kind: 'reset' }
  /** `code` is the guest's. */
  | { readonly kind: 'failure'; readonly code: number };

/** Values of SiFive's test device, which device trees name as syscon-poweroff and syscon-reboot. */
export const SYSCON_POWEROFF = 0x5555;
export const SYSCON_RESET = 0x7777;
const FAILURE = 0x3333;

/** One register that ends the machine. @see SiFive test finisher, `sifive,test0` */
export class Syscon implements MmioDevice {
  readonly size = WINDOW_BYTES;
  readonly #end: (end: PowerEnd) => void;

  constructor(end: (end: PowerEnd) => void) {
    this.#end = end;
  }

  load(): number {
    return 0;
  }

  store(offset: number, _size: 1 | 2 | 4 | 8, value: number | bigint): void {
    if (offset !== 0) return;
    const word = Number(BigInt(value) & 0xffff_ffffn);
    const command = word & 0xffff;
    if (command === SYSCON_POWEROFF) this.#end({ kind: 'poweroff' });
    else if (command === SYSCON_RESET) this.#end({ kind: 'reset' });
    else if (command === FAILURE) this.#end({ kind: 'failure', code: word >>> 16 });
  }
}

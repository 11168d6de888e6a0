import { bytesToHex } from '@polyvisor/bytes/hex';
import { bigIntToBytes, concatBytes } from '@polyvisor/bytes/bytes';

/**
 * A contract with as much storage as one wants. With input (first slot, count) it writes 1 to each of those slots;
 * without, it adds 1 to slot 0: the transaction that is measured.
 */
const runtime: string = [
  // CALLDATASIZE PUSH1 fill JUMPI; SSTORE(0, SLOAD(0) + 1) STOP
  '36600c57',
  '5f546001015f5500',
  // fill: JUMPDEST count = CALLDATALOAD(32), i = CALLDATALOAD(0)
  '5b6020355f35',
  // loop: JUMPDEST SSTORE(i, 1); i += 1; count -= 1; again while count > 0
  '5b600181556001019060019003908160125700',
].join('');

/** Code that deploys it: CODECOPY of what follows, and RETURN. */
export const fillerInitcode: string = `0x60${(runtime.length / 2).toString(16)}80600a5f395ff3fe${runtime}`;

/** Slots that one transaction can fill within the gas cap of EIP-7825. */
export const SLOTS_PER_FILL = 500;
export const FILL_GAS = '0xc00000';

export function fillInput(first: number, count: number): string {
  return bytesToHex(
    concatBytes(bigIntToBytes(BigInt(first), 32), bigIntToBytes(BigInt(count), 32)),
  );
}

/** A node, by its JSON-RPC. */
export type Request = (method: string, params?: readonly unknown[]) => Promise<unknown>;

/** A chain with the contract deployed by its first account. */
export class Filler {
  readonly #request: Request;
  readonly #from: string;
  readonly #to: string;
  #slots = 0;

  private constructor(request: Request, from: string, to: string) {
    this.#request = request;
    this.#from = from;
    this.#to = to;
  }

  static async deploy(request: Request): Promise<Filler> {
    const [from] = (await request('eth_accounts')) as string[];
    const data = fillerInitcode;
    const hash = await request('eth_sendTransaction', [{ from, data, gas: '0x100000' }]);
    const { contractAddress, status } = await receiptOf(request, hash);
    if (status !== '0x1') throw new Error('the contract could not be deployed');
    return new Filler(request, from!, contractAddress);
  }

  /** The same contract on a fork of its chain. */
  on(request: Request): Filler {
    const filler = new Filler(request, this.#from, this.#to);
    filler.#slots = this.#slots;
    return filler;
  }

  get slots(): number {
    return this.#slots;
  }

  async fillTo(slots: number): Promise<void> {
    while (this.#slots < slots) {
      const count = Math.min(SLOTS_PER_FILL, slots - this.#slots);
      await this.#send({ data: fillInput(1 + this.#slots, count), gas: FILL_GAS });
      this.#slots += count;
    }
  }

  /** Sends the transaction that is measured, and gets its receipt. */
  async sendOne(): Promise<void> {
    await this.#send({ gas: '0x11170' });
  }

  async #send(fields: { readonly data?: string; readonly gas: string }): Promise<void> {
    const call = { from: this.#from, to: this.#to, ...fields };
    const hash = await this.#request('eth_sendTransaction', [call]);
    const { status } = await receiptOf(this.#request, hash);
    if (status !== '0x1') throw new Error(`transaction ${String(hash)} failed`);
  }
}

interface Receipt {
  readonly contractAddress: string;
  readonly status: string;
}

/** Asks until it is there: anvil answers a send before it has mined it. */
async function receiptOf(request: Request, hash: unknown): Promise<Receipt> {
  for (;;) {
    const receipt = (await request('eth_getTransactionReceipt', [hash])) as Receipt | null;
    if (receipt !== null) return receipt;
  }
}

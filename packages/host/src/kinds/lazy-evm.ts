import { assert } from '@polyvisor/errors/assert';
import type { Hardfork } from '@polyvisor/evm/hardfork';
import type { Loader } from '../instance.ts';
import type { Evm, ExecuteInput, Execution } from '@polyvisor/evm/world';

/**
 * An engine whose code is loaded when the first guest executes something: its interpreter and cryptography are most of
 * what there is to load, and a start that only answers does without.
 */
export class LazyEvm implements Evm, Loader {
  readonly hardfork: Hardfork;
  readonly #memoryBytesMax: number;
  #evm: Evm | undefined;

  constructor(hardfork: Hardfork, memoryBytesMax: number) {
    this.hardfork = hardfork;
    this.#memoryBytesMax = memoryBytesMax;
    this.#evm = sharedEvm?.({ hardfork, memoryBytesMax });
  }

  get isLoaded(): boolean {
    return this.#evm !== undefined;
  }

  async load(): Promise<void> {
    ({ sharedEvm } = await import('@polyvisor/evm/shared-engines'));
    this.#evm ??= sharedEvm({ hardfork: this.hardfork, memoryBytesMax: this.#memoryBytesMax });
  }

  execute(input: ExecuteInput): Execution {
    assert(this.#evm !== undefined, 'the host loads an engine before it runs a machine');
    return this.#evm.execute(input);
  }
}

let sharedEvm: typeof import('@polyvisor/evm/shared-engines').sharedEvm | undefined;

import type { U256Kernels } from '@polyvisor/math/u256-kernels';
import type { gas } from '../gas.ts';
import type { Hardfork } from '../hardfork.ts';
import type { Globals } from './runtime.ts';

/** What an opcode's code uses of the runtime: indexes in the module that the code is in, whichever that is. */
export interface Links {
  has(since: Hardfork): boolean;
  /** A price at the engine's fork. */
  price(name: keyof typeof gas): number;
  /** Index of a runtime function. */
  function(name: string): number;
  kernel(name: keyof U256Kernels): number;
  global(name: keyof Globals): number;
}

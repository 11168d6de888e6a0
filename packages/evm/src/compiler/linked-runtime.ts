import type { U256Kernels } from '@polyvisor/math/u256-kernels';
import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, I64, type FunctionType } from '@polyvisor/wasm/types';
import { gasAt, type gas } from '../gas.ts';
import { type Hardfork, isAtLeast } from '../hardfork.ts';
import type { Links } from '../runtime/links.ts';
import { type Globals, kernelExport } from '../runtime/runtime.ts';

/** Types of the engine's functions by the names that it exports them under. */
export type LinkTypes = ReadonlyMap<string, FunctionType>;

/** Name of the module that compiled code imports from: the engine's instance. */
export const ENGINE = 'engine';

/** The runtime as a module of compiled code sees it: what is asked for is imported. */
export class LinkedRuntime implements Links {
  readonly #m: ModuleWriter;
  readonly #fork: Hardfork;
  readonly #types: LinkTypes;
  readonly #functions = new Map<string, number>();
  readonly #globals = new Map<string, number>();

  constructor(m: ModuleWriter, fork: Hardfork, types: LinkTypes) {
    this.#m = m;
    this.#fork = fork;
    this.#types = types;
  }

  has(since: Hardfork): boolean {
    return isAtLeast(this.#fork, since);
  }

  price(name: keyof typeof gas): number {
    return gasAt(name, this.#fork);
  }

  function(name: string): number {
    let index = this.#functions.get(name);
    if (index === undefined) {
      const { params, results } = this.#types.get(name)!;
      index = this.#m.importFunction(ENGINE, name, params, results);
      this.#functions.set(name, index);
    }
    return index;
  }

  kernel(name: keyof U256Kernels): number {
    return this.function(kernelExport(name));
  }

  global(name: keyof Globals): number {
    let index = this.#globals.get(name);
    if (index === undefined) {
      const isWide = name === 'gas' || name === 'slice' || name === 'refund';
      index = this.#m.importGlobal(ENGINE, name, isWide ? I64 : I32, true);
      this.#globals.set(name, index);
    }
    return index;
  }
}

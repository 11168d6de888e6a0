import type { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { FUNCREF, I32, I64, type ValueType } from '@polyvisor/wasm/types';

/** What the interpreter's module and those of compiled regions have in common. */

/** Index of the guest's RAM among a module's memories; the engine's own is the first. */
export const RAM = 1;

/** A region's function: number of the entry, its address, steps left; and how many are left then. */
export const REGION_PARAMS: readonly ValueType[] = [I32, I64, I32];
export const REGION_RESULTS: readonly ValueType[] = [I32];

export function importShared(m: ModuleWriter): void {
  m.importMemory('hart', 'engine', { initial: 1 });
  m.importMemory('hart', 'ram', { initial: 0 });
  m.importTable('hart', 'regions', FUNCREF, { initial: 1 });
}

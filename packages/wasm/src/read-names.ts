import { ByteReader } from './byte-reader.ts';
import { moduleLimits } from './limits.ts';
import type { WasmModule } from './module.ts';
import { WasmError } from './wasm-error.ts';

const FUNCTION_NAMES = 1;

/**
 * Names of functions by index, from the section "name". A broken section gives the names in front of the fault: it
 * is an aid for readers, and does not make a module malformed. @see Core Specification 3.0, appendix A.4 "Name Section"
 */
export function readFunctionNames({ customs }: WasmModule): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const section = customs.find(({ name }) => name === 'name');
  if (!section) return names;
  const reader = new ByteReader(section.bytes);
  try {
    while (!reader.isAtEnd) {
      const id = reader.u8();
      const part = reader.part(reader.u32());
      if (id !== FUNCTION_NAMES) continue;
      for (let left = part.u32(); left > 0; left--) {
        names.set(part.u32(), part.name(moduleLimits.nameBytes));
      }
    }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error;
  }
  return names;
}

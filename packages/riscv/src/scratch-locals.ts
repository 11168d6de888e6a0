import { type Assembler, type Expression, Local } from '@polyvisor/wasm/assembler';
import { I64, type ValueType } from '@polyvisor/wasm/types';

/** Locals that each instruction uses anew. */
export class ScratchLocals {
  readonly #a: Assembler;
  readonly #locals = new Map<ValueType, Local[]>();
  readonly #taken = new Map<ValueType, number>();

  constructor(a: Assembler) {
    this.#a = a;
  }

  /** Sets a local that is not taken. */
  hold(value: Expression, type: ValueType = I64): Local {
    const locals = this.#locals.get(type) ?? [];
    this.#locals.set(type, locals);
    const taken = this.#taken.get(type) ?? 0;
    this.#taken.set(type, taken + 1);
    const local = (locals[taken] ??= new Local(this.#a.f.local(type), type));
    this.#a.set(local, value);
    return local;
  }

  /** All may be taken again. */
  release(): void {
    this.#taken.clear();
  }
}

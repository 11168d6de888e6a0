import type { Instruction } from './instruction-codec.ts';
import { rowOf } from './instruction-rows.ts';
import { moduleLimits } from './limits.ts';
import type { GlobalType, TableType } from './module.ts';
import { EMPTY, EXTERNREF, FUNCREF, type FunctionType, I32, type ValueType } from './types.ts';
import { WasmError } from './wasm-error.ts';

/** What instructions may refer to: index spaces with the imports first. */
export interface CodeContext {
  readonly types: readonly FunctionType[];
  readonly functions: readonly FunctionType[];
  readonly tables: readonly TableType[];
  readonly memoryCount: number;
  readonly globals: readonly GlobalType[];
  readonly elements: readonly ValueType[];
  /** Undefined if the module does not announce it: then no instruction may name a data segment. */
  readonly dataCount: number | undefined;
  /** Functions that `ref.func` may name. */
  readonly declared: ReadonlySet<number>;
}

/** Locals of one type in a row, parameters first; ascending. */
export interface LocalRun {
  /** The first index behind them. */
  readonly end: number;
  readonly type: ValueType;
}

/** A type of the operand stack; in code that can not be reached a value may have any. */
type Operand = ValueType | 'any';

interface Frame {
  readonly kind: 'function' | 'block' | 'loop' | 'if' | 'else';
  readonly type: FunctionType;
  /** Height of the operand stack at the beginning. */
  readonly height: number;
  isUnreachable: boolean;
}

/**
 * Checks a function's instructions one after another, with a stack of operand types and one of open blocks.
 * @see Core Specification 3.0, appendix A.3 "Validation Algorithm"
 */
export class CodeValidator {
  readonly #context: CodeContext;
  readonly #locals: readonly LocalRun[];
  readonly #operands: Operand[] = [];
  readonly #frames: Frame[];
  #offset: number | undefined;

  constructor(context: CodeContext, type: FunctionType, locals: readonly LocalRun[]) {
    this.#context = context;
    this.#locals = locals;
    const whole: FunctionType = { params: [], results: type.results };
    this.#frames = [{ kind: 'function', type: whole, height: 0, isUnreachable: false }];
  }

  /** Whether the function's own `end` was checked. */
  get isClosed(): boolean {
    return this.#frames.length === 0;
  }

  /** @throws WasmError `invalid`, `limit` or `not-supported` */
  check(instruction: Instruction, offset?: number): void {
    this.#offset = offset;
    if (this.isClosed) throw this.#invalid('an instruction behind the end');
    const { bound, signature, immediates: kinds } = rowOf(instruction.name);
    const numbers = instruction.immediates as readonly number[];
    // Labels, types, functions, locals and globals are checked where they are looked up.
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[i]!;
      if (kind === 'memory-argument') this.#checkMemoryArgument(numbers, bound);
      else if (kind === 'memory') this.#checkIndex(numbers[i]!, this.#context.memoryCount, kind);
      else if (kind === 'table') this.#table(numbers[i]!);
      else if (kind === 'element') this.#element(numbers[i]!);
      else if (kind === 'data') this.#checkIndex(numbers[i]!, this.#context.dataCount ?? 0, kind);
      else if (kind === 'lane') this.#checkIndex(numbers[i]!, bound, kind);
      else if (kind === 'lanes') for (const lane of numbers) this.#checkIndex(lane, 32, 'lane');
    }
    if (instruction.name === 'table.copy' || instruction.name === 'table.init') {
      this.#checkTableTransfer(instruction.name, numbers);
    }
    if (instruction.name === 'unreachable') this.#leave();
    else if (signature) this.#apply(signature.operands, signature.results);
    else this.#checkByContext(instruction, numbers);
  }

  #checkByContext({ name }: Instruction, numbers: readonly number[]): void {
    const { globals } = this.#context;
    const [first, second] = numbers as [number, number];
    switch (name) {
      case 'block':
      case 'loop':
        this.#open(name, this.#blockType(first));
        break;
      case 'if':
        this.#pop(I32);
        this.#open(name, this.#blockType(first));
        break;
      case 'else': {
        const { kind, type } = this.#close();
        if (kind !== 'if') throw this.#invalid('else without if');
        this.#open('else', type);
        break;
      }
      case 'end': {
        const { kind, type } = this.#close();
        if (kind === 'if' && !isEqual(type.params, type.results)) {
          throw this.#invalid('an if without else that gives other types than it takes');
        }
        if (!this.isClosed) this.#push(type.results);
        break;
      }
      case 'br':
        this.#popAll(this.#label(first));
        this.#leave();
        break;
      case 'br_if': {
        this.#pop(I32);
        const types = this.#label(first);
        this.#apply(types, types);
        break;
      }
      case 'br_table':
        this.#branchTable(numbers);
        break;
      case 'return':
        this.#popAll(this.#frames[0]!.type.results);
        this.#leave();
        break;
      case 'call': {
        const { params, results } = this.#function(first);
        this.#apply(params, results);
        break;
      }
      case 'call_indirect': {
        const { params, results } = this.#indirect(first, second);
        this.#apply(params, results);
        break;
      }
      case 'return_call':
        this.#tailCall(this.#function(first));
        break;
      case 'return_call_indirect':
        this.#tailCall(this.#indirect(first, second));
        break;
      case 'drop':
        this.#pop('any');
        break;
      case 'select': {
        this.#pop(I32);
        const [a, b] = [this.#pop('any'), this.#pop('any')];
        if (isReference(a) || isReference(b)) {
          throw this.#invalid('a select of references without type');
        }
        if (a !== b && a !== 'any' && b !== 'any') throw this.#invalid('a select of two types');
        this.#operands.push(a === 'any' ? b : a);
        break;
      }
      case 'select_typed': {
        if (numbers.length !== 1) throw this.#invalid('a select of more or less than one value');
        const type = this.#valueType(first);
        this.#apply([type, type, I32], [type]);
        break;
      }
      case 'local.get':
        this.#push([this.#local(first)]);
        break;
      case 'local.set':
        this.#pop(this.#local(first));
        break;
      case 'local.tee':
        this.#apply([this.#local(first)], [this.#local(first)]);
        break;
      case 'global.get':
        this.#checkIndex(first, globals.length, 'global');
        this.#push([globals[first]!.type]);
        break;
      case 'global.set':
        this.#checkIndex(first, globals.length, 'global');
        if (!globals[first]!.isMutable) throw this.#invalid('a constant global is set');
        this.#pop(globals[first]!.type);
        break;
      case 'table.get':
        this.#apply([I32], [this.#table(first).type]);
        break;
      case 'table.set':
        this.#apply([I32, this.#table(first).type], []);
        break;
      case 'table.grow':
        this.#apply([this.#table(first).type, I32], [I32]);
        break;
      case 'table.fill':
        this.#apply([I32, this.#table(first).type, I32], []);
        break;
      case 'ref.null':
        this.#push([this.#heapType(first)]);
        break;
      case 'ref.is_null': {
        const type = this.#pop('any');
        if (type !== 'any' && !isReference(type)) throw this.#invalid('a value, not a reference');
        this.#push([I32]);
        break;
      }
      case 'ref.func':
        this.#function(first);
        if (!this.#context.declared.has(first)) {
          throw this.#invalid(`function ${first} is not declared for references`);
        }
        this.#push([FUNCREF]);
        break;
      default:
        throw new WasmError('not-supported', `'${name}' is not supported`, this.#offset);
    }
  }

  #checkMemoryArgument([alignment, memory]: readonly number[], alignmentMax: number): void {
    this.#checkIndex(memory!, this.#context.memoryCount, 'memory');
    if (alignment! > alignmentMax) throw this.#invalid('an alignment beyond the natural one');
  }

  #checkTableTransfer(name: string, [first, second]: readonly number[]): void {
    // table.copy: destination, source; table.init: segment, table.
    const from = name === 'table.copy' ? this.#table(second!).type : this.#element(first!);
    const to = this.#table(name === 'table.copy' ? first! : second!).type;
    if (from !== to) throw this.#invalid('a table of another type');
  }

  #branchTable(labels: readonly number[]): void {
    if (labels.length - 1 > moduleLimits.branchLabels) {
      throw new WasmError('limit', `a branch table of ${labels.length} labels`, this.#offset);
    }
    this.#pop(I32);
    const last = this.#label(labels.at(-1)!);
    for (const label of new Set(labels)) {
      const types = this.#label(label);
      if (types.length !== last.length) throw this.#invalid('a branch table of unequal labels');
      // What is on the stack stays for the next label, unknown types included.
      const popped = types.toReversed().map((type) => this.#pop(type));
      this.#operands.push(...popped.toReversed());
    }
    this.#popAll(last);
    this.#leave();
  }

  #tailCall({ params, results }: FunctionType): void {
    if (!isEqual(results, this.#frames[0]!.type.results)) {
      throw this.#invalid('a tail call that gives other results than the function');
    }
    this.#popAll(params);
    this.#leave();
  }

  #open(kind: Frame['kind'], type: FunctionType): void {
    // An else begins where its if began, and the if has left nothing.
    if (kind !== 'else') this.#popAll(type.params);
    this.#frames.push({ kind, type, height: this.#operands.length, isUnreachable: false });
    this.#push(type.params);
  }

  #close(): Frame {
    const frame = this.#frames.at(-1)!;
    this.#popAll(frame.type.results);
    if (this.#operands.length !== frame.height) throw this.#invalid('values left in a block');
    this.#frames.pop();
    return frame;
  }

  /** What follows can not be reached. */
  #leave(): void {
    const frame = this.#frames.at(-1)!;
    this.#operands.length = frame.height;
    frame.isUnreachable = true;
  }

  #apply(operands: readonly ValueType[], results: readonly ValueType[]): void {
    this.#popAll(operands);
    this.#push(results);
  }

  #push(types: readonly ValueType[]): void {
    for (const type of types) this.#operands.push(type);
    if (this.#operands.length > moduleLimits.operands) {
      throw new WasmError('limit', 'too many operands', this.#offset);
    }
  }

  #popAll(types: readonly ValueType[]): void {
    for (let i = types.length - 1; i >= 0; i--) this.#pop(types[i]!);
  }

  /** @returns the operand's own type, which may still be any */
  #pop(expected: Operand): Operand {
    const frame = this.#frames.at(-1)!;
    if (this.#operands.length === frame.height) {
      if (frame.isUnreachable) return 'any';
      throw this.#invalid('an operand is missing');
    }
    const actual = this.#operands.pop()!;
    if (actual === expected || actual === 'any' || expected === 'any') return actual;
    throw this.#invalid(`type 0x${actual.toString(16)} where 0x${expected.toString(16)} is due`);
  }

  /** Types that a branch to the label takes along. */
  #label(depth: number): readonly ValueType[] {
    this.#checkIndex(depth, this.#frames.length, 'label');
    const { kind, type } = this.#frames[this.#frames.length - 1 - depth]!;
    return kind === 'loop' ? type.params : type.results;
  }

  #blockType(code: number): FunctionType {
    if (code >= 0) return this.#type(code);
    if (code + 128 === EMPTY) return { params: [], results: [] };
    return { params: [], results: [this.#valueType(code + 128)] };
  }

  #heapType(code: number): ValueType {
    const type = code + 128;
    if (type === FUNCREF || type === EXTERNREF) return type;
    throw new WasmError('not-supported', `references of type ${code}`, this.#offset);
  }

  #valueType(code: number): ValueType {
    if (code === FUNCREF || code === EXTERNREF || (code >= 0x7b && code <= I32)) {
      return code as ValueType;
    }
    throw new WasmError('not-supported', `type 0x${code.toString(16)}`, this.#offset);
  }

  #type(index: number): FunctionType {
    this.#checkIndex(index, this.#context.types.length, 'type');
    return this.#context.types[index]!;
  }

  #function(index: number): FunctionType {
    this.#checkIndex(index, this.#context.functions.length, 'function');
    return this.#context.functions[index]!;
  }

  /** A call's type: first the index on top of the operands is taken. */
  #indirect(typeIndex: number, table: number): FunctionType {
    if (this.#table(table).type !== FUNCREF)
      throw this.#invalid('a call by a table of no functions');
    const type = this.#type(typeIndex);
    this.#pop(I32);
    return type;
  }

  #table(index: number): TableType {
    this.#checkIndex(index, this.#context.tables.length, 'table');
    return this.#context.tables[index]!;
  }

  #element(index: number): ValueType {
    this.#checkIndex(index, this.#context.elements.length, 'element segment');
    return this.#context.elements[index]!;
  }

  #local(index: number): ValueType {
    this.#checkIndex(index, this.#locals.at(-1)?.end ?? 0, 'local');
    // The first run that ends behind the index.
    let [low, high] = [0, this.#locals.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#locals[middle]!.end > index) high = middle;
      else low = middle + 1;
    }
    return this.#locals[low]!.type;
  }

  #checkIndex(index: number, count: number, what: string): void {
    if (index >= count) throw this.#invalid(`there is no ${what} ${index}`);
  }

  #invalid(message: string): WasmError {
    return new WasmError('invalid', message, this.#offset);
  }
}

function isReference(type: Operand): boolean {
  return type === FUNCREF || type === EXTERNREF;
}

function isEqual(a: readonly ValueType[], b: readonly ValueType[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}

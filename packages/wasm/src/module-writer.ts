import { ByteWriter } from './byte-writer.ts';
import { FunctionWriter } from './function-writer.ts';
import { type FunctionType, I32, I64, type Limits, type ValueType } from './types.ts';

/** Kinds of import and export. @see Core Specification 2.0, sections 5.5.5 and 5.5.10. */
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const GLOBAL = 3;

/** Where an active segment goes: which table or memory, from which offset on. */
interface Place {
  readonly index: number;
  readonly offset: number;
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  readonly write: (out: ByteWriter) => void;
}

/**
 * Writes a WebAssembly module. Imports come first: once a function, memory, table or global is defined,
 * a further import of that kind would move its index, so it is refused.
 */
export class ModuleWriter {
  readonly #types: FunctionType[] = [];
  readonly #typeIndexes = new Map<string, number>();
  readonly #imports: Import[] = [];
  readonly #functions: FunctionWriter[] = [];
  readonly #tables: { type: ValueType; limits: Limits }[] = [];
  readonly #memories: Limits[] = [];
  readonly #globals: { type: ValueType; mutable: boolean; value: bigint }[] = [];
  readonly #exports: { name: string; kind: number; index: number }[] = [];
  readonly #elements: { place: Place | undefined; functions: readonly number[] }[] = [];
  readonly #data: { place: Place | undefined; bytes: Uint8Array }[] = [];
  #start: number | undefined;
  readonly #imported = [0, 0, 0, 0];
  readonly #importedNames: string[] = [];

  /** The index of the function type, added when new. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join(' ')}>${results.join(' ')}`;
    let index = this.#typeIndexes.get(key);
    if (index === undefined) {
      index = this.#types.push({ params, results }) - 1;
      this.#typeIndexes.set(key, index);
    }
    return index;
  }

  importFunction(
    module: string,
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
  ): number {
    const type = this.type(params, results);
    this.#importedNames.push(name);
    return this.#import(module, name, FUNCTION, this.#functions.length, (out) => out.u32(type));
  }

  importMemory(module: string, name: string, limits: Limits): number {
    return this.#import(module, name, MEMORY, this.#memories.length, (out) =>
      writeLimits(out, limits),
    );
  }

  importTable(module: string, name: string, type: ValueType, limits: Limits): number {
    return this.#import(module, name, TABLE, this.#tables.length, (out) =>
      writeLimits(out.u8(type), limits),
    );
  }

  importGlobal(module: string, name: string, type: ValueType, mutable: boolean): number {
    return this.#import(module, name, GLOBAL, this.#globals.length, (out) =>
      out.u8(type).u8(mutable ? 1 : 0),
    );
  }

  function(
    params: readonly ValueType[],
    results: readonly ValueType[],
    name: string,
  ): FunctionWriter {
    const index = this.#imported[FUNCTION]! + this.#functions.length;
    const type = { params, results };
    const writer = new FunctionWriter(index, this.type(params, results), type, name);
    this.#functions.push(writer);
    return writer;
  }

  /**
   * Adds a function whose body is written already, so that imports can be declared as the body asks for them.
   * @returns its index; the body itself cannot have known it
   */
  adopt(params: readonly ValueType[], results: readonly ValueType[], body: FunctionWriter): number {
    const own = this.function(params, results, body.name);
    own.locals.push(...body.locals);
    own.code.bytes(body.code.view());
    own.rareBranches.push(...body.rareBranches);
    return own.index;
  }

  memory(limits: Limits): number {
    return this.#imported[MEMORY]! + this.#memories.push(limits) - 1;
  }

  table(type: ValueType, limits: Limits): number {
    return this.#imported[TABLE]! + this.#tables.push({ type, limits }) - 1;
  }

  /** A global of type i32 or i64 with a constant start value. */
  global(type: typeof I32 | typeof I64, value = 0n, mutable = true): number {
    return this.#imported[GLOBAL]! + this.#globals.push({ type, mutable, value }) - 1;
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push({ name, kind: FUNCTION, index });
  }

  exportTable(name: string, index: number): void {
    this.#exports.push({ name, kind: TABLE, index });
  }

  exportMemory(name: string, index: number): void {
    this.#exports.push({ name, kind: MEMORY, index });
  }

  exportGlobal(name: string, index: number): void {
    this.#exports.push({ name, kind: GLOBAL, index });
  }

  /** Fills `table` from `offset` with the functions, at instantiation. */
  elements(table: number, offset: number, functions: readonly number[]): void {
    this.#elements.push({ place: { index: table, offset }, functions });
  }

  /** Functions for `table.init`. @returns the segment's index */
  passiveElements(functions: readonly number[]): number {
    return this.#elements.push({ place: undefined, functions }) - 1;
  }

  /** Copies the bytes to `offset` of a memory, at instantiation. */
  data(offset: number, bytes: Uint8Array, memory = 0): void {
    this.#data.push({ place: { index: memory, offset }, bytes });
  }

  /** Bytes for `memory.init`. @returns the segment's index */
  passiveData(bytes: Uint8Array): number {
    return this.#data.push({ place: undefined, bytes }) - 1;
  }

  /** Runs the function, which takes and gives nothing, at instantiation. */
  start(functionIndex: number): void {
    this.#start = functionIndex;
  }

  /** The module's bytes. Function names go to the "name" section, where debuggers and profilers read them. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(4096).bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    list(out, 1, this.#types, (type, body) => {
      body.u8(0x60).u32(type.params.length).bytes(type.params);
      body.u32(type.results.length).bytes(type.results);
    });
    list(out, 2, this.#imports, (entry, body) => {
      entry.write(body.name(entry.module).name(entry.name).u8(entry.kind));
    });
    list(out, 3, this.#functions, (entry, body) => body.u32(entry.typeIndex));
    list(out, 4, this.#tables, (entry, body) => writeLimits(body.u8(entry.type), entry.limits));
    list(out, 5, this.#memories, (limits, body) => writeLimits(body, limits));
    list(out, 6, this.#globals, (entry, body) => {
      body.u8(entry.type).u8(entry.mutable ? 1 : 0);
      if (entry.type === I32) body.u8(0x41).s32(Number(entry.value));
      else body.u8(0x42).s64(entry.value);
      body.u8(0x0b);
    });
    list(out, 7, this.#exports, (entry, body) =>
      body.name(entry.name).u8(entry.kind).u32(entry.index),
    );
    if (this.#start !== undefined) {
      const body = new ByteWriter().u32(this.#start);
      out.u8(8).u32(body.length).bytes(body.view());
    }
    list(out, 9, this.#elements, ({ place, functions }, body) => {
      writePlace(body, place);
      // The form of table 0 alone says no kind: functions.
      if (place?.index !== 0) body.u8(0);
      body.u32(functions.length);
      for (const index of functions) body.u32(index);
    });
    // Code that names passive segments can be checked in one pass only if their number stands in front.
    if (this.#data.some(({ place }) => !place)) {
      const body = new ByteWriter().u32(this.#data.length);
      out.u8(12).u32(body.length).bytes(body.view());
    }
    this.#writeBranchHints(out);
    list(out, 10, this.#functions, writeBody);
    list(out, 11, this.#data, ({ place, bytes }, body) => {
      writePlace(body, place);
      body.u32(bytes.length).bytes(bytes);
    });
    this.#writeNames(out);
    return out.view().slice();
  }

  #import(
    module: string,
    name: string,
    kind: number,
    defined: number,
    write: (out: ByteWriter) => void,
  ): number {
    if (defined > 0) throw new Error(`import '${name}' comes after a definition of its kind`);
    this.#imports.push({ module, name, kind, write });
    return this.#imported[kind]!++;
  }

  #writeBranchHints(out: ByteWriter): void {
    const hinted = this.#functions.filter(({ rareBranches }) => rareBranches.length > 0);
    if (hinted.length === 0) return;
    const body = new ByteWriter().name('metadata.code.branch_hint').u32(hinted.length);
    for (const entry of hinted) {
      const start = writeLocals(entry).length;
      body.u32(entry.index).u32(entry.rareBranches.length);
      // A hint: its place in the function's body, its size, and 0 for unlikely.
      for (const place of entry.rareBranches)
        body
          .u32(start + place)
          .u8(1)
          .u8(0);
    }
    out.u8(0).u32(body.length).bytes(body.view());
  }

  #writeNames(out: ByteWriter): void {
    const names = [...this.#importedNames, ...this.#functions.map((entry) => entry.name)];
    const map = new ByteWriter().u32(names.length);
    names.forEach((name, index) => map.u32(index).name(name));
    const body = new ByteWriter().name('name').u8(1).u32(map.length).bytes(map.view());
    out.u8(0).u32(body.length).bytes(body.view());
  }
}

/** Writes one section: a vector of entries. An empty one is left out. */
function list<T>(
  out: ByteWriter,
  id: number,
  entries: readonly T[],
  write: (entry: T, body: ByteWriter) => void,
): void {
  if (entries.length === 0) return;
  const body = new ByteWriter().u32(entries.length);
  for (const entry of entries) write(entry, body);
  out.u8(id).u32(body.length).bytes(body.view());
}

/** The head of a segment: for index 0, for another index, or passive. */
function writePlace(out: ByteWriter, place: Place | undefined): void {
  if (!place) {
    out.u32(1);
    return;
  }
  if (place.index === 0) out.u32(0);
  else out.u32(2).u32(place.index);
  out.u8(0x41).s32(place.offset).u8(0x0b);
}

function writeLimits(out: ByteWriter, limits: Limits): void {
  const flags = (limits.maximum === undefined ? 0 : 1) | (limits.shared ? 2 : 0);
  out.u8(flags).u32(limits.initial);
  if (limits.maximum !== undefined) out.u32(limits.maximum);
}

function writeBody(entry: FunctionWriter, out: ByteWriter): void {
  const body = writeLocals(entry).bytes(entry.code.view()).u8(0x0b);
  out.u32(body.length).bytes(body.view());
}

/** The beginning of a function's body. */
function writeLocals(entry: FunctionWriter): ByteWriter {
  const body = new ByteWriter(entry.code.length + 64);
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of entry.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  body.u32(runs.length);
  for (const run of runs) body.u32(run.count).u8(run.type);
  return body;
}

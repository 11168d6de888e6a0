import { ByteReader } from './byte-reader.ts';
import { type Instruction, readInstruction } from './instruction-codec.ts';
import { moduleLimits } from './limits.ts';
import type {
  ConstantExpression,
  CustomSection,
  DataSegment,
  DefinedFunction,
  DefinedGlobal,
  ElementMode,
  ElementSegment,
  Export,
  ExternalKind,
  GlobalType,
  Import,
  ImportType,
  TableType,
  WasmModule,
} from './module.ts';
import {
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  type FunctionType,
  I32,
  I64,
  type Limits,
  V128,
  type ValueType,
} from './types.ts';
import { WasmError } from './wasm-error.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const CUSTOM = 0;
/** Sections in the order in which they stand. @see Core Specification 3.0, section 5.5.2 */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const KINDS: readonly ExternalKind[] = ['function', 'table', 'memory', 'global'];
const VALUE_TYPES: readonly number[] = [I32, I64, F32, F64, V128, FUNCREF, EXTERNREF];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads a module of the binary format, without checking types: `validateModule` does.
 * @throws WasmError `malformed`, `limit`, or `not-supported` for what is beyond functions, tables, memories and globals
 */
export function readModule(bytes: Uint8Array): WasmModule {
  if (bytes.length > moduleLimits.moduleBytes) {
    throw new WasmError('limit', `a module of ${bytes.length} bytes`);
  }
  const reader = new ByteReader(bytes);
  for (const byte of HEADER) {
    if (reader.u8() !== byte)
      throw new WasmError('malformed', 'no WebAssembly module of version 1');
  }
  const module = emptyModule();
  const customs: CustomSection[] = [];
  let functionTypes: number[] = [];
  let bodies: Body[] = [];
  let last = -1;
  while (!reader.isAtEnd) {
    const id = reader.u8();
    const section = reader.part(reader.u32());
    if (id === CUSTOM) {
      const name = section.name(moduleLimits.nameBytes);
      customs.push({ name, bytes: section.take(section.end - section.at) });
      continue;
    }
    const position = ORDER.indexOf(id);
    if (position < 0)
      throw new WasmError('not-supported', `section ${id} is not supported`, section.at);
    if (position <= last) throw section.malformed(`section ${id} is out of order`);
    last = position;
    switch (id) {
      case 1:
        module.types = list(section, moduleLimits.types, readFunctionType);
        break;
      case 2:
        module.imports = list(section, moduleLimits.imports, readImport);
        break;
      case 3:
        functionTypes = list(section, moduleLimits.functions, (r) => r.u32());
        break;
      case 4:
        module.tables = list(section, moduleLimits.tables, readTableType);
        break;
      case 5:
        module.memories = list(section, moduleLimits.memories, readLimits);
        break;
      case 6:
        module.globals = list(section, moduleLimits.globals, readGlobal);
        break;
      case 7:
        module.exports = list(section, moduleLimits.exports, readExport);
        break;
      case 8:
        module.start = section.u32();
        break;
      case 9:
        module.elements = list(section, moduleLimits.elementSegments, readElements);
        break;
      case 12:
        module.dataCount = section.u32();
        break;
      case 10:
        bodies = list(section, moduleLimits.functions, readBody);
        break;
      default:
        module.data = list(section, moduleLimits.dataSegments, readData);
    }
    if (!section.isAtEnd) throw section.malformed(`section ${id} has bytes behind its contents`);
  }
  if (functionTypes.length !== bodies.length) {
    throw new WasmError(
      'malformed',
      `${functionTypes.length} functions but ${bodies.length} bodies`,
    );
  }
  if (module.dataCount !== undefined && module.dataCount !== module.data.length) {
    throw new WasmError('malformed', `${module.dataCount} data segments announced`);
  }
  const functions = bodies.map((body, i) => ({ ...body, typeIndex: functionTypes[i]! }));
  return { ...module, functions, customs };
}

/** The instructions of a function, the closing `end` included, with their offsets. @throws WasmError */
export function* readInstructions(
  bytes: Uint8Array,
  { start, end }: Pick<DefinedFunction, 'start' | 'end'>,
): Generator<Instruction & { readonly offset: number }, void, void> {
  const reader = new ByteReader(bytes, start, end);
  while (!reader.isAtEnd) {
    const offset = reader.at;
    const { name, immediates } = readInstruction(reader);
    yield { name, immediates, offset };
  }
}

function emptyModule(): Mutable<WasmModule> {
  return {
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    elements: [],
    dataCount: undefined,
    data: [],
    customs: [],
  };
}

/** A vector. Entries take a byte at least, so a count beyond the bytes is refused before it costs memory. */
function list<T>(reader: ByteReader, countMax: number, read: (reader: ByteReader) => T): T[] {
  const count = reader.u32();
  if (count > countMax) throw new WasmError('limit', `a list of ${count} entries`, reader.at);
  if (count > reader.end - reader.at) throw reader.malformed('bytes end too early');
  const entries: T[] = [];
  for (let i = 0; i < count; i++) entries.push(read(reader));
  return entries;
}

function readValueType(reader: ByteReader): ValueType {
  const byte = reader.u8();
  if (VALUE_TYPES.includes(byte)) return byte as ValueType;
  throw new WasmError('not-supported', `type 0x${byte.toString(16)} is not supported`, reader.at);
}

function readReferenceType(reader: ByteReader): ValueType {
  const type = readValueType(reader);
  if (type === FUNCREF || type === EXTERNREF) return type;
  throw reader.malformed('a type that is no reference');
}

function readFunctionType(reader: ByteReader): FunctionType {
  const form = reader.u8();
  if (form !== 0x60) {
    throw new WasmError('not-supported', `a type of form 0x${form.toString(16)}`, reader.at);
  }
  return {
    params: list(reader, moduleLimits.parameters, readValueType),
    results: list(reader, moduleLimits.results, readValueType),
  };
}

function readLimits(reader: ByteReader): Limits {
  const flags = reader.u8();
  if (flags > 3) throw new WasmError('not-supported', `limits of form ${flags}`, reader.at);
  const initial = reader.u32();
  return {
    initial,
    ...(flags & 1 ? { maximum: reader.u32() } : {}),
    ...(flags & 2 ? { shared: true } : {}),
  };
}

function readTableType(reader: ByteReader): TableType {
  return { type: readReferenceType(reader), limits: readLimits(reader) };
}

function readGlobalType(reader: ByteReader): GlobalType {
  const type = readValueType(reader);
  const mutability = reader.u8();
  if (mutability > 1) throw reader.malformed(`a global of mutability ${mutability}`);
  return { type, isMutable: mutability === 1 };
}

function readGlobal(reader: ByteReader): DefinedGlobal {
  return { ...readGlobalType(reader), value: readExpression(reader) };
}

function readKind(reader: ByteReader): ExternalKind {
  const byte = reader.u8();
  const kind = KINDS[byte];
  if (kind) return kind;
  throw new WasmError('not-supported', `imports and exports of kind ${byte}`, reader.at);
}

function readImport(reader: ByteReader): Import {
  const module = reader.name(moduleLimits.nameBytes);
  const name = reader.name(moduleLimits.nameBytes);
  return { module, name, type: readImportType(reader) };
}

function readImportType(reader: ByteReader): ImportType {
  const kind = readKind(reader);
  switch (kind) {
    case 'function':
      return { kind, typeIndex: reader.u32() };
    case 'table':
      return { kind, table: readTableType(reader) };
    case 'memory':
      return { kind, limits: readLimits(reader) };
    default:
      return { kind, global: readGlobalType(reader) };
  }
}

function readExport(reader: ByteReader): Export {
  return {
    name: reader.name(moduleLimits.nameBytes),
    kind: readKind(reader),
    index: reader.u32(),
  };
}

/** @see Core Specification 3.0, section 5.5.12: bits of the form are passive, explicit, expressions */
function readElements(reader: ByteReader): ElementSegment {
  const form = reader.u32();
  if (form > 7) throw reader.malformed(`an element segment of form ${form}`);
  const isExplicit = (form & 2) !== 0;
  const isExpressions = (form & 4) !== 0;
  const mode = readElementMode(reader, (form & 1) !== 0, isExplicit);
  let type: ValueType = FUNCREF;
  if (form & 3) {
    if (isExpressions) type = readReferenceType(reader);
    else if (reader.u8() !== 0) throw reader.malformed('an element kind other than function');
  }
  const items = list(
    reader,
    moduleLimits.elementsPerSegment,
    isExpressions
      ? readExpression
      : (r): ConstantExpression => [{ name: 'ref.func', immediates: [r.u32()] }],
  );
  return { type, mode, items };
}

function readElementMode(reader: ByteReader, isPassive: boolean, isExplicit: boolean): ElementMode {
  if (isPassive) return { kind: isExplicit ? 'declared' : 'passive' };
  const table = isExplicit ? reader.u32() : 0;
  return { kind: 'active', table, offset: readExpression(reader) };
}

function readData(reader: ByteReader): DataSegment {
  const form = reader.u32();
  if (form > 2) throw reader.malformed(`a data segment of form ${form}`);
  const memory = form === 2 ? reader.u32() : 0;
  const place = form === 1 ? undefined : { memory, offset: readExpression(reader) };
  return { place, bytes: reader.take(reader.u32()) };
}

function readExpression(reader: ByteReader): ConstantExpression {
  const instructions: Instruction[] = [];
  for (;;) {
    const instruction = readInstruction(reader);
    if (instruction.name === 'end') return instructions;
    instructions.push(instruction);
  }
}

type Body = Omit<DefinedFunction, 'typeIndex'>;

function readBody(reader: ByteReader): Body {
  const size = reader.u32();
  if (size > moduleLimits.functionBytes) {
    throw new WasmError('limit', `a function of ${size} bytes`, reader.at);
  }
  const body = reader.part(size);
  let left: number = moduleLimits.locals;
  const locals = list(body, moduleLimits.locals, (r) => {
    const count = r.u32();
    left -= count;
    if (left < 0) throw new WasmError('limit', 'too many locals', r.at);
    return { count, type: readValueType(r) };
  });
  return { locals, start: body.at, end: body.end };
}

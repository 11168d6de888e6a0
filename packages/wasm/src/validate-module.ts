import type { InstructionName } from './instructions.ts';
import { moduleLimits } from './limits.ts';
import type {
  ConstantExpression,
  DefinedFunction,
  GlobalType,
  TableType,
  WasmModule,
} from './module.ts';
import { readInstructions, readModule } from './read-module.ts';
import { type FunctionType, I32, type Limits, type ValueType } from './types.ts';
import { type CodeContext, CodeValidator, type LocalRun } from './validate-code.ts';
import { WasmError } from './wasm-error.ts';

/** @see Core Specification 3.0, section 3.5.10 "Constant Expressions" */
const CONSTANT: ReadonlySet<InstructionName> = new Set<InstructionName>([
  'i32.const',
  'i64.const',
  'f32.const',
  'f64.const',
  'v128.const',
  'ref.null',
  'ref.func',
  'global.get',
  'i32.add',
  'i32.sub',
  'i32.mul',
  'i64.add',
  'i64.sub',
  'i64.mul',
]);

/**
 * Reads a module and checks it, so that an engine will take it.
 * @throws WasmError `malformed`, `invalid`, `limit`, or `not-supported` for what the reader does not know
 * @see Core Specification 3.0, section 3.5 "Modules"
 */
export function validateModule(bytes: Uint8Array): WasmModule {
  const module = readModule(bytes);
  const context = createContext(module);
  for (const { limits } of context.tables) {
    if (limits.shared) throw new WasmError('not-supported', 'shared tables');
    checkLimits(limits, moduleLimits.tableElements, 2 ** 32 - 1);
  }
  for (const limits of memoriesOf(module)) {
    checkLimits(limits, moduleLimits.memoryPages, moduleLimits.memoryPages);
    if (limits.shared && limits.maximum === undefined)
      throw invalid('a shared memory without maximum');
  }
  checkGlobals(module, context);
  checkExports(module, context);
  checkStart(module, context);
  checkSegments(module, context);
  checkFunctions(module, context, bytes);
  return module;
}

function createContext(module: WasmModule): CodeContext {
  const { imports, types } = module;
  const typeIndexes = [
    ...imports.flatMap(({ type }) => (type.kind === 'function' ? [type.typeIndex] : [])),
    ...module.functions.map(({ typeIndex }) => typeIndex),
  ];
  const functions = typeIndexes.map((index): FunctionType => {
    const type = types[index];
    if (!type) throw invalid(`there is no type ${index}`);
    return type;
  });
  return {
    types,
    functions,
    tables: [
      ...imports.flatMap(({ type }): TableType[] => (type.kind === 'table' ? [type.table] : [])),
      ...module.tables,
    ],
    memoryCount: memoriesOf(module).length,
    globals: [
      ...imports.flatMap(({ type }): GlobalType[] => (type.kind === 'global' ? [type.global] : [])),
      ...module.globals,
    ],
    elements: module.elements.map(({ type }) => type),
    dataCount: module.dataCount,
    declared: declaredFunctions(module),
  };
}

function memoriesOf({ imports, memories }: WasmModule): readonly Limits[] {
  return [
    ...imports.flatMap(({ type }) => (type.kind === 'memory' ? [type.limits] : [])),
    ...memories,
  ];
}

/** Functions that stand somewhere outside of code. */
function declaredFunctions(module: WasmModule): ReadonlySet<number> {
  const expressions = [
    ...module.globals.map(({ value }) => value),
    ...module.elements.flatMap(({ items }) => items),
  ];
  return new Set([
    ...module.exports.flatMap(({ kind, index }) => (kind === 'function' ? [index] : [])),
    ...expressions
      .flat()
      .flatMap(({ name, immediates }) => (name === 'ref.func' ? [Number(immediates[0])] : [])),
  ]);
}

function checkLimits({ initial, maximum }: Limits, initialMax: number, maximumMax: number): void {
  if (initial > initialMax) throw new WasmError('limit', `an initial size of ${initial}`);
  if (maximum === undefined) return;
  if (maximum > maximumMax) throw new WasmError('limit', `a maximum size of ${maximum}`);
  if (maximum < initial) throw invalid('a maximum below the initial size');
}

function checkGlobals({ globals }: WasmModule, context: CodeContext): void {
  // A value may be that of a global in front.
  const visible = context.globals.slice(0, context.globals.length - globals.length);
  for (const global of globals) {
    checkConstant(global.value, global.type, { ...context, globals: visible });
    visible.push(global);
  }
}

function checkExports({ exports }: WasmModule, context: CodeContext): void {
  const counts = {
    function: context.functions.length,
    table: context.tables.length,
    memory: context.memoryCount,
    global: context.globals.length,
  };
  const names = new Set<string>();
  for (const { name, kind, index } of exports) {
    if (index >= counts[kind]) throw invalid(`there is no ${kind} ${index} to export`);
    if (names.has(name)) throw invalid(`two exports are called '${name}'`);
    names.add(name);
  }
}

function checkStart({ start }: WasmModule, { functions }: CodeContext): void {
  if (start === undefined) return;
  const type = functions[start];
  if (!type) throw invalid(`there is no function ${start} to start`);
  if (type.params.length > 0 || type.results.length > 0) {
    throw invalid('the start function takes or gives values');
  }
}

function checkSegments({ elements, data }: WasmModule, context: CodeContext): void {
  for (const { type, mode, items } of elements) {
    if (mode.kind === 'active') {
      const table = context.tables[mode.table];
      if (!table) throw invalid(`there is no table ${mode.table} to fill`);
      if (table.type !== type) throw invalid('elements of another type than the table');
      checkConstant(mode.offset, I32, context);
    }
    for (const item of items) checkConstant(item, type, context);
  }
  for (const { place } of data) {
    if (!place) continue;
    if (place.memory >= context.memoryCount) throw invalid(`there is no memory ${place.memory}`);
    checkConstant(place.offset, I32, context);
  }
}

function checkConstant(
  expression: ConstantExpression,
  type: ValueType,
  context: CodeContext,
): void {
  const code = new CodeValidator(context, { params: [], results: [type] }, []);
  for (const instruction of expression) {
    if (!CONSTANT.has(instruction.name)) throw invalid(`'${instruction.name}' is not constant`);
    code.check(instruction);
    const global =
      instruction.name === 'global.get' && context.globals[Number(instruction.immediates[0])];
    if (global && global.isMutable) throw invalid('a constant depends on a mutable global');
  }
  code.check({ name: 'end', immediates: [] });
}

function checkFunctions({ functions }: WasmModule, context: CodeContext, bytes: Uint8Array): void {
  const importedCount = context.functions.length - functions.length;
  functions.forEach((definition, i) => {
    const type = context.functions[importedCount + i]!;
    const code = new CodeValidator(context, type, localRuns(type, definition));
    for (const instruction of readInstructions(bytes, definition)) {
      code.check(instruction, instruction.offset);
    }
    if (!code.isClosed) throw new WasmError('malformed', 'a function without end', definition.end);
  });
}

function localRuns({ params }: FunctionType, { locals }: DefinedFunction): LocalRun[] {
  const runs: LocalRun[] = params.map((type, i) => ({ end: i + 1, type }));
  let end = params.length;
  for (const { count, type } of locals) {
    end += count;
    if (count > 0) runs.push({ end, type });
  }
  if (end > moduleLimits.locals) throw new WasmError('limit', 'too many locals');
  return runs;
}

function invalid(message: string): WasmError {
  return new WasmError('invalid', message);
}

import binaryen from 'binaryen';
import wabt from 'wabt';
import { describe, expect, test } from 'vitest';
import { moduleLimits } from './limits.ts';
import { ModuleWriter } from './module-writer.ts';
import { encode, randomInstruction, randomModule } from './testing/random-module.ts';
import { Random } from './testing/random.ts';
import { EXTERNREF, FUNCREF, I32, I64, V128 } from './types.ts';
import { validateModule } from './validate-module.ts';
import { WasmError } from './wasm-error.ts';

const SEED = 20_260_106;
const { readWasm } = await wabt();
const features = { simd: true, bulk_memory: true, reference_types: true, tail_call: true };
const { Features } = binaryen;
/** Those of the writer: with garbage collection binaryen would write types that only it has. */
const FEATURES =
  Features.MutableGlobals |
  Features.NontrappingFPToInt |
  Features.SIMD128 |
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.SignExt |
  Features.TailCall |
  Features.ReferenceTypes |
  Features.Multivalue |
  Features.MultiMemory;

describe(`random modules (seed ${SEED})`, () => {
  test('are taken by V8, by wabt, by binaryen and by us', () => {
    for (let seed = SEED; seed < SEED + 100; seed++) {
      const module = randomModule(seed);
      const bytes = encode(module);
      expect(WebAssembly.validate(bytes)).toBe(true);
      validateModule(bytes);
      // This build of wabt knows one memory.
      if (module.shape.memories === 1) {
        const text = readWasm(bytes, { ...features, readDebugNames: true });
        text.validate();
        validateModule(text.toBinary({}).buffer);
        text.destroy();
      }
      const tree = binaryen.readBinary(bytes);
      tree.setFeatures(FEATURES);
      expect(tree.validate()).toBe(1);
      // What binaryen writes of it, we read again.
      validateModule(tree.emitBinary());
      tree.dispose();
    }
  });

  test('with one instruction changed are judged as V8 judges them', () => {
    const random = new Random(SEED);
    const verdicts = { good: 0, bad: 0 };
    for (let seed = SEED; seed < SEED + 100; seed++) {
      const module = randomModule(seed);
      for (let round = 0; round < 100; round++) {
        const bytes = encode(withOneInstructionChanged(module, random));
        const isGood = WebAssembly.validate(bytes);
        verdicts[isGood ? 'good' : 'bad']++;
        const error = refusal(bytes);
        if (isGood !== !error) {
          expect({ seed, round, isGood, error: error?.message }).toBe('the same verdict');
        }
      }
    }
    // Both sides of the line are tried.
    expect(verdicts.good).toBeGreaterThan(500);
    expect(verdicts.bad).toBeGreaterThan(5000);
  });

  test('with bytes changed are never taken where V8 refuses, nor called bad where it does not', () => {
    const random = new Random(SEED + 1);
    for (let seed = SEED; seed < SEED + 100; seed++) {
      const bytes = encode(randomModule(seed));
      for (let round = 0; round < 100; round++) {
        const mutant = withBytesChanged(bytes, random);
        const error = refusal(mutant);
        const isGood = WebAssembly.validate(mutant);
        if (isGood ? error && error.kind !== 'not-supported' : !error) {
          expect({ seed, round, isGood, error: error?.message }).toBe('the same verdict');
        }
      }
    }
  });
});

test('code that can not be reached may branch to labels of different types', () => {
  expectKind((m) => {
    const f = m.function([], [], 'f');
    f.block(I32).block(I64).op('unreachable').i32(0).brTable([0], 1).end();
    f.drop().i32(1).end().drop();
  }, undefined);
});

test('code that can be reached may not', () => {
  expectKind((m) => {
    const f = m.function([], [], 'f');
    f.block(I32).block(I64).i64(1n).i32(0).brTable([0], 1).end();
    f.drop().i32(1).end().drop();
  }, 'invalid');
});

describe('what the writer can say', () => {
  test('tail calls do not use up the stack', () => {
    const m = new ModuleWriter();
    const down = m.function([I32], [I32], 'down');
    down.get(0).op('i32.eqz').if().i32(42).return().end();
    down.get(0).i32(1).op('i32.sub').returnCall(down.index);
    m.exportFunction('down', down.index);
    expect(run(m, 'down', 1_000_000)).toBe(42);
  });

  test('calls by table', () => {
    const m = new ModuleWriter();
    const functions = [10, 20].map((value) => {
      const f = m.function([], [I32], `give${value}`);
      f.i32(value);
      return f.index;
    });
    const table = m.table(FUNCREF, { initial: 4 });
    m.elements(table, 2, functions);
    const f = m.function([I32], [I32], 'pick');
    f.get(0).returnCallIndirect(m.type([], [I32]), table);
    m.exportFunction('pick', f.index);
    expect([run(m, 'pick', 2), run(m, 'pick', 3)]).toEqual([10, 20]);
  });

  test('two memories with data of their own, and a copy from one to the other', () => {
    const m = new ModuleWriter();
    m.memory({ initial: 1 });
    const second = m.memory({ initial: 1 });
    m.data(8, Uint8Array.of(1, 2, 3, 4), second);
    const f = m.function([], [I32], 'copy');
    f.i32(16).i32(8).i32(4).memoryCopy(0, second).i32(0).mem('i32.load', 16);
    m.exportFunction('copy', f.index);
    expect(run(m, 'copy')).toBe(0x04030201);
  });

  test('vectors', () => {
    const m = new ModuleWriter();
    const f = m.function([I64, I64], [I64], 'sum');
    const vector = f.local(V128);
    f.get(0).op('i64x2.splat').get(1).lane('i64x2.replace_lane', 1).set(vector);
    f.get(vector).lane('i64x2.extract_lane', 0).get(vector).lane('i64x2.extract_lane', 1);
    f.op('i64.add');
    m.exportFunction('sum', f.index);
    expect(run(m, 'sum', 40n, 2n)).toBe(42n);
  });

  test('a function that runs at the start', () => {
    const m = new ModuleWriter();
    const global = m.global(I32, 1n);
    const f = m.function([], [], 'begin');
    f.i32(7).globalSet(global);
    m.start(f.index);
    const get = m.function([], [I32], 'get');
    get.globalGet(global);
    m.exportFunction('get', get.index);
    expect(run(m, 'get')).toBe(7);
  });

  test('passive segments', () => {
    const m = new ModuleWriter();
    m.memory({ initial: 1 });
    const segment = m.passiveData(Uint8Array.of(5, 6));
    const f = m.function([], [I32], 'init');
    f.i32(0)
      .i32(1)
      .i32(1)
      .instruction({ name: 'memory.init', immediates: [segment, 0] });
    f.i32(0).mem('i32.load8_u');
    m.exportFunction('init', f.index);
    expect(run(m, 'init')).toBe(6);
  });

  test('names that a debugger shows', () => {
    const m = new ModuleWriter();
    const f = m.function([], [], 'boom');
    f.op('unreachable');
    m.exportFunction('run', f.index);
    try {
      run(m, 'run');
      expect.unreachable();
    } catch (error) {
      expect((error as Error).stack).toContain('boom');
    }
  });
});

describe('limits', () => {
  test.each([
    [moduleLimits.memoryPages - 1, undefined],
    [moduleLimits.memoryPages, undefined],
    [moduleLimits.memoryPages + 1, 'limit'],
  ])('a memory of %i pages', (initial, kind) => {
    expectKind((m) => m.memory({ initial }), kind);
  });

  test.each([
    [moduleLimits.tableElements - 1, undefined],
    [moduleLimits.tableElements, undefined],
    [moduleLimits.tableElements + 1, 'limit'],
  ])('a table of %i elements', (initial, kind) => {
    expectKind((m) => m.table(EXTERNREF, { initial }), kind);
  });

  test.each([
    [moduleLimits.locals - 1, undefined],
    [moduleLimits.locals, undefined],
    [moduleLimits.locals + 1, 'limit'],
  ])('a function of %i locals, one of them a parameter', (count, kind) => {
    expectKind((m) => {
      const f = m.function([I32], [], 'f');
      for (let i = 1; i < count; i++) f.local(I64);
    }, kind);
  });

  test.each([
    [moduleLimits.parameters - 1, undefined],
    [moduleLimits.parameters, undefined],
    [moduleLimits.parameters + 1, 'limit'],
  ])('a type of %i parameters', (count, kind) => {
    expectKind(
      (m) =>
        m.type(
          Array.from({ length: count }, () => I32),
          [],
        ),
      kind,
    );
  });

  test.each([
    [moduleLimits.results - 1, undefined],
    [moduleLimits.results, undefined],
    [moduleLimits.results + 1, 'limit'],
  ])('a type of %i results', (count, kind) => {
    expectKind(
      (m) =>
        m.type(
          [],
          Array.from({ length: count }, () => I32),
        ),
      kind,
    );
  });

  test.each([
    [moduleLimits.branchLabels - 1, undefined],
    [moduleLimits.branchLabels, undefined],
    [moduleLimits.branchLabels + 1, 'limit'],
  ])('a branch table of %i labels', (count, kind) => {
    expectKind((m) => m.function([], [], 'f').i32(0).brTable(new Uint8Array(count), 0), kind);
  });

  test.each([
    [moduleLimits.nameBytes - 1, undefined],
    [moduleLimits.nameBytes, undefined],
    [moduleLimits.nameBytes + 1, 'limit'],
  ])('a name of %i bytes', (size, kind) => {
    const m = new ModuleWriter();
    m.importFunction('x'.repeat(size), 'y', [], []);
    // This version of V8 takes longer ones; others do not.
    expect(refusal(m.finish())?.kind).toBe(kind);
  });
});

test.each([
  ['malformed', Uint8Array.of()],
  ['malformed', Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)],
  ['malformed', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1)],
  // A list that announces more than there is.
  ['malformed', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 3, 0xc0, 0x84, 0x3d)],
  // A section of exception tags.
  ['not-supported', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 13, 1, 0)],
] as const)('%s: %j', (kind, bytes) => {
  expect(refusal(bytes)?.kind).toBe(kind);
});

test('an atomic instruction is said not to be supported, with its place', () => {
  const m = new ModuleWriter();
  const f = m.function([], [], 'f');
  // atomic.fence
  f.code.bytes([0xfe, 0x03, 0x00]);
  const bytes = m.finish();
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(refusal(bytes)?.message).toBe(
    `instruction 0xfe 3 is not supported, at byte ${bytes.indexOf(0xfe)}`,
  );
});

function run(m: ModuleWriter, name: string, ...args: (number | bigint)[]): unknown {
  const bytes = m.finish();
  validateModule(bytes);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return (exports[name] as (...operands: unknown[]) => unknown)(...args);
}

/** What we and V8 say of a module, which must be the same. */
function expectKind(build: (m: ModuleWriter) => void, kind: string | undefined): void {
  const m = new ModuleWriter();
  build(m);
  const bytes = m.finish();
  expect(refusal(bytes)?.kind).toBe(kind);
  expect(WebAssembly.validate(bytes)).toBe(kind === undefined);
}

function refusal(bytes: Uint8Array): WasmError | undefined {
  try {
    validateModule(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof WasmError) return error;
    throw error;
  }
}

function withOneInstructionChanged(
  module: ReturnType<typeof randomModule>,
  random: Random,
): ReturnType<typeof randomModule> {
  const which = random.below(module.bodies.length);
  const bodies = module.bodies.map((body, i) => {
    if (i !== which) return body;
    const code = [...body.code];
    const at = random.below(code.length + 1);
    // Replaced, inserted or taken out.
    const choice = random.below(4);
    if (choice === 0) code.splice(at, 1);
    else code.splice(at, choice === 1 ? 0 : 1, randomInstruction(random));
    return { ...body, code };
  });
  return { ...module, bodies };
}

function withBytesChanged(bytes: Uint8Array, random: Random): Uint8Array {
  const list = [...bytes];
  const at = random.below(list.length);
  const choice = random.below(6);
  if (choice === 0) list.splice(at, 1);
  else if (choice === 1) list.splice(at, 0, random.below(256));
  else if (choice === 2) list[at]! ^= 1 << random.below(8);
  else list[at] = random.below(256);
  return Uint8Array.from(list);
}

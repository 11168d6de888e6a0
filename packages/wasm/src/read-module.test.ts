import { expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import fc from 'fast-check';
import { readInstruction, writeInstruction } from './instruction-codec.ts';
import { ModuleWriter } from './module-writer.ts';
import { readInstructions, readModule } from './read-module.ts';
import { readFunctionNames } from './read-names.ts';
import { encode, randomInstruction, randomModule } from './testing/random-module.ts';
import { Random } from './testing/random.ts';
import { EXTERNREF, FUNCREF, I32, I64 } from './types.ts';

const SEED = 20_260_105;

test(`any instruction is read as it was written (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let i = 0; i < 20_000; i++) {
    const instruction = randomInstruction(random);
    const out = new ByteWriter();
    writeInstruction(out, instruction);
    const reader = new ByteReader(out.view());
    expect(readInstruction(reader)).toEqual(instruction);
    expect(reader.isAtEnd).toBe(true);
  }
});

test(`a module's code is read as it was written (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const module = randomModule(seed);
      const bytes = encode(module);
      const read = readModule(bytes);
      const code = read.functions.map((entry) =>
        [...readInstructions(bytes, entry)].map(({ name, immediates }) => ({ name, immediates })),
      );
      const end = { name: 'end', immediates: [] };
      expect(code).toEqual(module.bodies.map((body) => [...body.code, end]));
      const locals = read.functions.map((entry) =>
        entry.locals.flatMap(({ count, type }) => Array.from({ length: count }, () => type)),
      );
      expect(locals).toEqual(module.bodies.map((body) => body.locals));
      const types = read.functions.map(({ typeIndex }) => read.types[typeIndex]);
      expect(types).toEqual(module.shape.functions);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('every part of a module is read', () => {
  const m = new ModuleWriter();
  const tick = m.importFunction('host', 'tick', [I32], [I64]);
  m.importMemory('host', 'memory', { initial: 1, maximum: 2, shared: true });
  m.importTable('host', 'table', FUNCREF, { initial: 3 });
  m.importGlobal('host', 'global', I64, false);
  m.exportMemory('second', m.memory({ initial: 4 }));
  m.exportTable('refs', m.table(EXTERNREF, { initial: 0, maximum: 9 }));
  m.exportGlobal('count', m.global(I32, -5n));
  const run = m.function([], [], 'run');
  run.i32(1).call(tick).drop();
  m.exportFunction('run', run.index);
  m.start(run.index);
  m.elements(0, 1, [run.index, tick]);
  m.passiveElements([tick]);
  m.data(-1, Uint8Array.of(7, 8), 1);
  m.passiveData(Uint8Array.of(9));
  const bytes = m.finish();
  const module = readModule(bytes);
  expect(module).toEqual({
    types: [
      { params: [I32], results: [I64] },
      { params: [], results: [] },
    ],
    imports: [
      { module: 'host', name: 'tick', type: { kind: 'function', typeIndex: 0 } },
      {
        module: 'host',
        name: 'memory',
        type: { kind: 'memory', limits: { initial: 1, maximum: 2, shared: true } },
      },
      {
        module: 'host',
        name: 'table',
        type: { kind: 'table', table: { type: FUNCREF, limits: { initial: 3 } } },
      },
      {
        module: 'host',
        name: 'global',
        type: { kind: 'global', global: { type: I64, isMutable: false } },
      },
    ],
    functions: [{ typeIndex: 1, locals: [], start: expect.any(Number), end: expect.any(Number) }],
    tables: [{ type: EXTERNREF, limits: { initial: 0, maximum: 9 } }],
    memories: [{ initial: 4 }],
    globals: [{ type: I32, isMutable: true, value: [{ name: 'i32.const', immediates: [-5] }] }],
    exports: [
      { name: 'second', kind: 'memory', index: 1 },
      { name: 'refs', kind: 'table', index: 1 },
      { name: 'count', kind: 'global', index: 1 },
      { name: 'run', kind: 'function', index: 1 },
    ],
    start: 1,
    elements: [
      {
        type: FUNCREF,
        mode: { kind: 'active', table: 0, offset: [{ name: 'i32.const', immediates: [1] }] },
        items: [[{ name: 'ref.func', immediates: [1] }], [{ name: 'ref.func', immediates: [0] }]],
      },
      {
        type: FUNCREF,
        mode: { kind: 'passive' },
        items: [[{ name: 'ref.func', immediates: [0] }]],
      },
    ],
    dataCount: 2,
    data: [
      {
        place: { memory: 1, offset: [{ name: 'i32.const', immediates: [-1] }] },
        bytes: Uint8Array.of(7, 8),
      },
      { place: undefined, bytes: Uint8Array.of(9) },
    ],
    customs: [{ name: 'name', bytes: expect.any(Uint8Array) }],
  });
  expect([...readFunctionNames(module)]).toEqual([
    [0, 'tick'],
    [1, 'run'],
  ]);
});

test(`any 32-bit and 64-bit number is read as it was written (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (a, b) => {
      const out = new ByteWriter()
        .u32(a >>> 0)
        .s32(a)
        .s64(b);
      const reader = new ByteReader(out.view());
      expect([reader.u32(), reader.s32(), reader.s64()]).toEqual([a >>> 0, a, b]);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test.each([
  ['u32', [0xff, 0xff, 0xff, 0xff, 0x10]],
  ['u32', [0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ['s32', [0xff, 0xff, 0xff, 0xff, 0x4f]],
  ['s32', [0x80, 0x80, 0x80, 0x80, 0x70]],
  ['s64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7e]],
  ['u32', [0x80]],
] as const)('%s refuses %j', (read, bytes) => {
  expect(() => new ByteReader(Uint8Array.from(bytes))[read]()).toThrow('byte');
});

test('a broken section of names gives the names in front of the fault', () => {
  const m = new ModuleWriter();
  m.function([], [], 'first');
  m.function([], [], 'second');
  const bytes = m.finish();
  const { customs, ...module } = readModule(bytes);
  const cut = { name: 'name', bytes: customs[0]!.bytes.slice() };
  // The length of 'second' now reaches behind the section.
  cut.bytes[cut.bytes.length - 7] = 50;
  expect([...readFunctionNames({ ...module, customs: [cut] })]).toEqual([[0, 'first']]);
  expect([...readFunctionNames({ ...module, customs: [] })]).toEqual([]);
});

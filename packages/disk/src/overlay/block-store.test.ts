import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diskFault } from '../block-device.ts';
import type { BlockDevice } from '../block-device.ts';
import { memoryFile } from '../file-door.ts';
import type { FileDoor } from '../file-door.ts';
import { openRawImage } from '../raw-image.ts';
import { CrashingFile, Power, PowerLoss } from '../testing/crashing-file.ts';
import { BlockStore } from './block-store.ts';
import type { StoreFiles } from './block-store.ts';

const SEED = 20_261_125;
const BLOCK = 512;

function memoryFiles(): StoreFiles {
  return { data: memoryFile(), journals: [memoryFile(), memoryFile()] };
}

function open(files: StoreFiles, options = {}): BlockStore {
  return BlockStore.open(files, { blockBytes: BLOCK, ...options });
}

function contentOf(disk: BlockDevice): Uint8Array {
  const content = new Uint8Array(disk.bytes);
  disk.read(0, content);
  return content;
}

const block = (value: number): Uint8Array => new Uint8Array(BLOCK).fill(value);
const code = (name: string): unknown => expect.objectContaining({ code: name });

/** 10.5 blocks of 1, 2, 3… */
const baseContent = Uint8Array.from(
  { length: 10.5 * BLOCK },
  (_, at) => 1 + Math.floor(at / BLOCK),
);
const base = { name: 'numbers', device: openRawImage(memoryFile(baseContent)) };

describe('an overlay', () => {
  test('has what the base has, and its own changes over it', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { base, bytes: 20 * BLOCK });
    const expected = new Uint8Array(20 * BLOCK);
    expected.set(baseContent);
    expect(contentOf(disk)).toEqual(expected);
    disk.write(BLOCK - 1, Uint8Array.of(99, 99));
    disk.write(10 * BLOCK + 300, Uint8Array.of(98));
    expected.set([99, 99], BLOCK - 1);
    expected.set([98], 10 * BLOCK + 300);
    expect(contentOf(disk)).toEqual(expected);
    disk.flush();
    expect(contentOf(disk)).toEqual(expected);
    expect(contentOf(base.device)).toEqual(baseContent);
  });

  test('equal blocks take room once, zeros none', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { bytes: 100 * BLOCK });
    for (let index = 0; index < 50; index++) disk.write(index * BLOCK, block(index % 5));
    disk.flush();
    expect([store.dataBytes, disk.heldBytes]).toEqual([4 * BLOCK, 40 * BLOCK]);
  });

  test('blocks written over and over do not make the data grow', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { bytes: 10 * BLOCK });
    for (let round = 1; round < 50; round++) {
      disk.write(0, block(round));
      disk.flush();
    }
    expect(store.dataBytes).toBe(BLOCK);
  });

  test('discarded blocks are zeros and take no room, over a base too', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { base });
    disk.write(0, baseContent.toReversed());
    disk.flush();
    disk.write(2 * BLOCK, block(77));
    disk.discard(BLOCK + 1, 3 * BLOCK);
    expect(contentOf(disk).subarray(2 * BLOCK, 4 * BLOCK)).toEqual(new Uint8Array(2 * BLOCK));
    disk.discard(0, disk.bytes);
    disk.flush();
    expect([disk.heldBytes, store.dataBytes]).toEqual([0, 0]);
    expect(contentOf(disk).every((byte) => byte === 0)).toBe(true);
  });

  test('a large disk costs what is written', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { bytes: 2 ** 40 });
    disk.write(2 ** 40 - 5, Uint8Array.of(1, 2, 3, 4, 5));
    disk.discard(0, 2 ** 39);
    disk.flush();
    const end = new Uint8Array(6);
    disk.read(2 ** 40 - 6, end);
    expect(end).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5));
  });
});

describe('forks', () => {
  test('a fork has what its origin had, and both go their own way', () => {
    const files = memoryFiles();
    const store = open(files);
    const disk = store.create('a', { base });
    disk.write(0, block(50));
    store.fork('a', 'b');
    disk.write(0, block(51));
    const fork = store.open('b', base);
    fork.write(BLOCK, block(52));
    store.flush();
    const again = open(files);
    const [a, b] = [again.open('a', base), again.open('b', base)].map(contentOf);
    expect([a![0], a![BLOCK], a![2 * BLOCK]]).toEqual([51, 2, 3]);
    expect([b![0], b![BLOCK], b![2 * BLOCK]]).toEqual([50, 52, 3]);
  });

  test('what only a removed disk had is free', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { bytes: 1000 * BLOCK });
    for (let index = 0; index < 600; index++)
      disk.write(index * BLOCK + 1, Uint8Array.of(1, index));
    store.fork('a', 'b');
    disk.write(0, block(9));
    disk.flush();
    const held = store.dataBytes;
    store.remove('a');
    expect(store.dataBytes).toBe(held - BLOCK);
    expect(() => disk.read(0, block(0))).toThrow(code('disk-failed'));
    store.remove('b');
    expect([store.dataBytes, store.list()]).toEqual([0, []]);
  });
});

describe('what a store refuses', () => {
  test('another base, a name twice, names that are none', () => {
    using store = open(memoryFiles());
    store.create('a', { base });
    expect(() => store.open('a', { ...base, name: 'other' })).toThrow(code('disk-base'));
    expect(() => store.open('a')).toThrow(code('disk-base'));
    expect(() => store.create('a', { base })).toThrow(code('disk-exists'));
    expect(() => store.fork('a', 'a')).toThrow(code('disk-exists'));
    expect(() => store.fork('b', 'c')).toThrow(code('disk-unknown'));
    expect(() => store.create('../a', { base })).toThrow(code('disk-option'));
    expect(() => store.create('x'.repeat(129), { base })).toThrow(code('disk-option'));
    expect(() => store.create('b', { bytes: -1 })).toThrow(code('disk-option'));
    expect(() => store.create('b', { bytes: 2 ** 52 })).toThrow(code('disk-option'));
  });

  test.each([
    [1, 'disk-option'],
    [2, undefined],
    [3, undefined],
  ])('two disks where %d may be: %s', (disksMax, fault) => {
    using store = open(memoryFiles(), { disksMax });
    store.create('a', { bytes: 1 });
    const second = (): unknown => store.create('b', { bytes: 1 });
    if (fault === undefined) second();
    else expect(second).toThrow(code(fault));
  });

  test.each([
    [3 * BLOCK - 1, 'disk-quota'],
    [3 * BLOCK, undefined],
    [3 * BLOCK + 1, undefined],
  ])('three blocks with a quota of %d bytes: %s', (quotaBytes, fault) => {
    using store = open(memoryFiles());
    const disk = store.create('a', { bytes: 10 * BLOCK, quotaBytes });
    disk.write(0, block(1));
    const write = (): void => disk.write(BLOCK, new Uint8Array(BLOCK + 1).fill(2));
    if (fault === undefined) return write();
    expect(write).toThrow(code(fault));
    expect(contentOf(disk)[BLOCK]).toBe(0);
  });

  test('blocks that were discarded make room under a quota', () => {
    using store = open(memoryFiles());
    const disk = store.create('a', { bytes: 10 * BLOCK, quotaBytes: 2 * BLOCK });
    disk.write(0, new Uint8Array(2 * BLOCK).fill(1));
    disk.flush();
    expect(() => disk.write(5 * BLOCK, block(1))).toThrow(code('disk-quota'));
    disk.discard(0, BLOCK);
    disk.write(5 * BLOCK, block(1));
  });

  test.each([
    [3 * BLOCK - 1, 'disk-quota'],
    [3 * BLOCK, undefined],
    [3 * BLOCK + 1, undefined],
  ])('three blocks in a store of %d bytes: %s', (dataBytesMax, fault) => {
    const files = memoryFiles();
    const store = open(files, { dataBytesMax });
    const disk = store.create('a', { bytes: 10 * BLOCK });
    for (let index = 0; index < 3; index++) disk.write(index * BLOCK, block(index + 1));
    if (fault === undefined) return disk.flush();
    expect(() => disk.flush()).toThrow(code(fault));
    disk.discard(0, BLOCK);
    disk.flush();
    expect([contentOf(disk)[0], contentOf(disk)[2 * BLOCK]]).toEqual([0, 3]);
  });

  test('what waits is committed when it is more than may wait', () => {
    const files = memoryFiles();
    const disk = open(files, { waitingBytesMax: 2 * BLOCK }).create('a', { bytes: 10 * BLOCK });
    disk.write(0, block(1));
    disk.write(BLOCK, block(2));
    expect(disk.dirty.size).toBe(2);
    disk.write(2 * BLOCK, block(3));
    expect(disk.dirty.size).toBe(0);
    expect(contentOf(open(files).open('a'))[2 * BLOCK]).toBe(3);
  });

  test('blocks of another size than a power of two from 512 to 65536', () => {
    for (const blockBytes of [256, 513, 131_072]) {
      expect(() => open(memoryFiles(), { blockBytes })).toThrow(code('disk-option'));
    }
  });

  test('data without a journal', () => {
    const files = { ...memoryFiles(), data: memoryFile(block(1)) };
    expect(() => open(files)).toThrow(code('disk-store-damaged'));
  });

  test('everything, after a sync that failed', () => {
    const data = memoryFile();
    let isFailing = false;
    const failing: FileDoor = {
      ...data,
      sync() {
        if (isFailing) throw diskFault('disk-failed', 'input/output error');
      },
    };
    const store = open({ ...memoryFiles(), data: failing });
    const disk = store.create('a', { bytes: BLOCK });
    disk.write(0, block(1));
    isFailing = true;
    expect(() => disk.flush()).toThrow(code('disk-failed'));
    isFailing = false;
    expect(() => disk.flush()).toThrow(code('disk-failed'));
  });
});

test('blocks that changed under the store are found', () => {
  const files = memoryFiles();
  const store = open(files);
  store.create('a', { bytes: 3 * BLOCK }).write(0, block(1));
  store.create('b', { bytes: 3 * BLOCK }).write(0, block(2));
  store.flush();
  expect(store.verify()).toEqual([]);
  files.data.write(BLOCK + 7, Uint8Array.of(9));
  expect(store.verify()).toEqual(['b']);
});

test('whatever bytes of its files are changed, a store opens at some older state, or says that it is damaged', () => {
  const files = memoryFiles();
  const store = open(files, { journalBytesMin: 1500 });
  const disk = store.create('a', { base, bytes: SIZE });
  for (let round = 1; round < 40; round++) disk.write((round % 12) * BLOCK, block(round));
  store.fork('a', 'b');
  for (let round = 1; round < 9; round++) {
    disk.write(round * BLOCK, block(100 + round));
    disk.flush();
  }
  const contents = [files.data, ...files.journals].map((file) => {
    const content = new Uint8Array(file.bytes);
    file.read(0, content);
    return content;
  });
  const change = fc.tuple(fc.nat(2), fc.oneof(fc.nat(70), fc.nat()), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bad = contents.map((content) => content.slice());
      for (const [which, at, value] of changes) {
        const content = bad[which]!;
        if (content.length > 0) content[at % content.length] = value;
      }
      const [data, first, second] = bad.map((content) => memoryFile(content));
      try {
        const found = open({ data: data!, journals: [first!, second!] });
        for (const { name } of found.list()) contentOf(found.open(name, base));
        found.verify();
      } catch (error) {
        expect(error).toMatchObject({ code: 'disk-store-damaged' });
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
});

type Step =
  | { readonly kind: 'write'; readonly disk: number; readonly at: number; readonly length: number }
  | {
      readonly kind: 'discard' | 'zero';
      readonly disk: number;
      readonly at: number;
      readonly length: number;
    }
  | { readonly kind: 'flush' }
  | { readonly kind: 'fork'; readonly disk: number }
  | { readonly kind: 'remove'; readonly disk: number }
  | { readonly kind: 'revert'; readonly disk: number };

const SIZE = 12 * BLOCK;
const NAMES_MAX = 5;

const range = { disk: fc.nat(), at: fc.nat(SIZE - 1), length: fc.nat(4 * BLOCK) };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), ...range }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('discard', 'zero'), ...range }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'flush' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('fork', 'remove', 'revert'), disk: fc.nat() }),
  },
);

/** What is on each disk, by name. */
type Model = ReadonlyMap<string, Uint8Array>;

/** Does a step on the store; returns what must be there after it. */
function take(store: BlockStore, model: Model, taken: Step, number: number): Model {
  if (taken.kind === 'flush') {
    store.flush();
    return model;
  }
  const names = [...model.keys()];
  const name = names[taken.disk % names.length]!;
  const after = new Map(model);
  if (taken.kind === 'fork') {
    if (names.length === NAMES_MAX) return model;
    store.fork(name, `disk${number}`);
    return after.set(`disk${number}`, model.get(name)!);
  }
  if (taken.kind === 'remove') {
    if (names.length === 1) return model;
    // A removal is durable at once, and may so come before what others wrote.
    store.flush();
    store.remove(name);
    after.delete(name);
    return after;
  }
  if (taken.kind === 'revert') {
    const from = names[(taken.disk + 1) % names.length]!;
    if (from === name) return model;
    // Durable at once, too.
    store.flush();
    store.revert([[name, from]]);
    return after.set(name, model.get(from)!);
  }
  const content = model.get(name)!.slice();
  const end = Math.min(SIZE, taken.at + taken.length);
  const disk = store.open(name, base);
  if (taken.kind === 'write') {
    // Few values, so that equal blocks come and go.
    content.fill(number % 3, taken.at, end);
    disk.write(taken.at, content.subarray(taken.at, end));
  } else if (taken.kind === 'zero') {
    content.fill(0, taken.at, end);
    disk.zero(taken.at, end - taken.at);
  } else {
    disk.discard(taken.at, end - taken.at);
    disk.read(0, content);
  }
  return after.set(name, content);
}

function contentsOf(store: BlockStore): Model {
  return new Map(store.list().map(({ name }) => [name, contentOf(store.open(name, base))]));
}

const OPTIONS = { waitingBytesMax: 6 * BLOCK, journalBytesMin: 2000 };

test('disks hold what a model holds, after opening the store again too', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const files = memoryFiles();
      const store = open(files, OPTIONS);
      store.create('disk', { base, bytes: SIZE });
      let model: Model = contentsOf(store);
      steps.forEach((taken, number) => {
        model = take(store, model, taken, number + 20);
        expect(contentsOf(store)).toEqual(model);
      });
      store.flush();
      const again = open(files, OPTIONS);
      expect(contentsOf(again)).toEqual(model);
      expect(again.verify()).toEqual([]);
      expect(again.dataBytes).toBe(store.dataBytes);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test('when the power goes at any moment, all that was flushed is there, and nothing half', () => {
  const crash = fc.record({
    steps: fc.array(step, { minLength: 5, maxLength: 40 }),
    requests: fc.nat(150),
    dice: fc.infiniteStream(fc.nat(999).map((n) => n / 1000)),
  });
  fc.assert(
    fc.property(fc.array(crash, { minLength: 1, maxLength: 3 }), (crashes) => {
      let contents = [0, 1, 2].map(() => new Uint8Array(0));
      /** States that may be found: the last one flushed, and all after it. */
      let possible: Model[] = [new Map()];
      for (const [life, { steps, requests, dice }] of crashes.entries()) {
        const power = new Power(requests);
        const files = contents.map((content) => new CrashingFile(power, content));
        const [data, first, second] = files as [CrashingFile, CrashingFile, CrashingFile];
        try {
          const store = open({ data, journals: [first, second] }, OPTIONS);
          let model = contentsOf(store);
          expect(possible).toContainEqual(model);
          expect(store.verify()).toEqual([]);
          if (model.size === 0) {
            const made = new Map([['disk', new Uint8Array(SIZE)]]);
            made.get('disk')!.set(baseContent);
            possible = [model, made];
            store.create('disk', { base, bytes: SIZE });
            model = made;
          }
          possible = [model];
          steps.forEach((taken, index) => {
            const number = 100 * (life + 1) + index;
            // A step that the power ends may be done or not.
            if (taken.kind !== 'flush') possible.push(planned(model, taken, number));
            model = take(store, model, taken, number);
            if (taken.kind === 'flush') possible = [model];
            else possible.push(model);
          });
        } catch (error) {
          if (!(error instanceof PowerLoss)) throw error;
        }
        contents = files.map((file) => {
          return file.afterCrash(() => dice.next().value as number) as Uint8Array<ArrayBuffer>;
        });
      }
      const [data, first, second] = contents.map((content) => memoryFile(content));
      const store = open({ data: data!, journals: [first!, second!] }, OPTIONS);
      expect(possible).toContainEqual(contentsOf(store));
      expect(store.verify()).toEqual([]);
    }),
    { seed: SEED, numRuns: 150 },
  );
});

/** What a step makes of a model, by a store of its own. */
function planned(model: Model, taken: Step, number: number): Model {
  const store = open(memoryFiles());
  for (const [name, content] of model) {
    store.create(name, { base, bytes: SIZE }).write(0, content);
  }
  return take(store, model, taken, number);
}

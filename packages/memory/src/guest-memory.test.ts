import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { HostError } from '@polyvisor/errors/host-error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GuestMemory, type MemorySnapshot, createMemory, forkMemory } from './guest-memory.ts';
import type { BackendName } from './memory-backend.ts';
import { CHUNK_BYTES, MEMORY_BYTES_MAX, PAGE_BYTES } from './pages.ts';
import { backendByName, backendReports } from './select-backend.ts';
import { loadSnapshot, saveSnapshot } from './snapshot-file.ts';

const SEED = 20_260_102;
const RUNS = 150;
const available = backendReports().flatMap((report) => ('backend' in report ? [report.name] : []));

/** A memory beside what it must hold: its bytes now, and those that a reset goes back to. */
interface Subject {
  readonly memory: GuestMemory;
  bytes: Uint8Array;
  base: Uint8Array;
}

type Step =
  | { do: 'write'; who: number; at: number; length: number; value: number }
  | { do: 'scatter'; who: number; stride: number; value: number }
  | { do: 'snapshot' | 'reset' | 'drop' | 'drop-snapshot' | 'save'; who: number }
  | { do: 'fork'; who: number }
  | { do: 'grow'; who: number; chunks: number };

const LENGTH = 4 * CHUNK_BYTES;
const LIMIT = 6 * CHUNK_BYTES;
const who = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who,
      at: fc.nat(LENGTH - 1),
      length: fc.oneof(fc.nat(16), fc.nat(3 * PAGE_BYTES)),
      value: fc.nat(2),
    }),
  },
  fc.record({
    do: fc.constant('scatter' as const),
    who,
    // Wider than what joins two dirty ranges, and narrower.
    stride: fc.constantFrom(2 * PAGE_BYTES, 20 * PAGE_BYTES),
    value: fc.nat(255),
  }),
  fc.record({
    do: fc.constantFrom('snapshot', 'reset', 'drop', 'drop-snapshot', 'save', 'fork'),
    who,
  }),
  fc.record({ do: fc.constant('grow' as const), who, chunks: fc.nat(3) }),
);

describe.each(available)('%s', (name: BackendName) => {
  const backend = backendByName(name);

  test('images in very many pieces, one on the other, hold what was written', () => {
    const bytesMax = 2 ** 24;
    const stridePages = 40;
    const pageCount = bytesMax / PAGE_BYTES;
    const subjects: GuestMemory[] = [createMemory(bytesMax, { bytesMax, backend })];
    const expected = new Uint8Array(bytesMax);
    for (let round = 0; round < 6; round++) {
      const memory = subjects.at(-1)!;
      for (let page = round * 7; page < pageCount; page += stridePages) {
        memory.bytes()[page * PAGE_BYTES + round] = expected[page * PAGE_BYTES + round] = 1 + round;
      }
      // Zeros over zeros are no change to be kept.
      memory.bytes().fill(0, 20 * PAGE_BYTES, 21 * PAGE_BYTES);
      using snapshot = memory.snapshot();
      expect(memory.dirtyPages()).toHaveLength(0);
      expect(Buffer.compare(memory.bytes(), expected)).toBe(0);
      subjects.push(forkMemory(snapshot, { bytesMax }));
      expect(Buffer.compare(subjects.at(-1)!.bytes(), expected)).toBe(0);
    }
    for (const memory of subjects) memory[Symbol.dispose]();
  });

  test.each([false, true])(
    `any history gives what a plain array gives (shared: %s, seed ${SEED}, ${RUNS} histories)`,
    (shared) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => runHistory(steps, shared)),
        { seed: SEED, numRuns: RUNS },
      );
    },
  );

  /** Does the steps on both sides, and compares everything after each. */
  function runHistory(steps: readonly Step[], shared: boolean): void {
    const options = { bytesMax: LIMIT, shared };
    const subjects: Subject[] = [
      {
        memory: createMemory(LENGTH, { ...options, backend }),
        bytes: new Uint8Array(LENGTH),
        base: new Uint8Array(LENGTH),
      },
    ];
    const snapshots: { snapshot: MemorySnapshot; bytes: Uint8Array }[] = [];
    for (const entry of steps) {
      const subject = subjects[entry.who % subjects.length]!;
      const saved = snapshots[entry.who % (snapshots.length || 1)];
      switch (entry.do) {
        case 'write':
          for (const bytes of [subject.memory.bytes(), subject.bytes]) {
            bytes.fill(entry.value, entry.at, entry.at + entry.length);
          }
          break;
        case 'scatter':
          for (const bytes of [subject.memory.bytes(), subject.bytes]) {
            for (let at = 0; at < bytes.length; at += entry.stride) bytes[at] = entry.value;
          }
          break;
        case 'snapshot':
          subject.base = subject.bytes.slice();
          snapshots.push({ snapshot: subject.memory.snapshot(), bytes: subject.base });
          break;
        case 'reset':
          if (subject.memory.reset()) subject.bytes = subject.base.slice();
          else expect(subject.bytes.length).toBeGreaterThan(subject.base.length);
          break;
        case 'grow': {
          const bytes = entry.chunks * CHUNK_BYTES;
          const growth = subject.memory.grow(bytes);
          const fits = subject.bytes.length + bytes <= LIMIT;
          expect(growth.kind).toBe(fits ? 'grown' : 'refused');
          if (fits) subject.bytes = extended(subject.bytes, bytes);
          break;
        }
        case 'fork':
          if (saved) {
            const { bytes } = saved;
            subjects.push({
              memory: forkMemory(saved.snapshot, options),
              bytes: bytes.slice(),
              base: bytes,
            });
          }
          break;
        case 'drop':
          if (subjects.length > 1) {
            subjects.splice(subjects.indexOf(subject), 1);
            subject.memory[Symbol.dispose]();
          }
          break;
        case 'drop-snapshot':
          if (saved) {
            snapshots.splice(snapshots.indexOf(saved), 1);
            saved.snapshot[Symbol.dispose]();
          }
          break;
        case 'save':
          if (saved) {
            using loaded = loadSnapshot(joined(saveSnapshot(saved.snapshot)), {
              bytesMax: LIMIT,
              backend,
            });
            using memory = forkMemory(loaded, options);
            expectBytes(memory.bytes(), saved.bytes);
          }
          break;
        default:
          entry satisfies never;
      }
      for (const { memory, bytes, base } of subjects) {
        expectBytes(memory.bytes(), bytes);
        const dirty = new Set(memory.dirtyPages());
        const missing = differingPages(bytes, base).filter((page) => !dirty.has(page));
        expect(missing).toEqual([]);
      }
    }
    for (const { memory } of subjects) memory[Symbol.dispose]();
    for (const { snapshot } of snapshots) snapshot[Symbol.dispose]();
  }

  test('a guest grows to its limit and not beyond, and the memory stays as it was', () => {
    using memory = createMemory(CHUNK_BYTES, { bytesMax: 3 * CHUNK_BYTES, backend });
    memory.bytes()[0] = 1;
    expect(memory.grow(CHUNK_BYTES)).toEqual({ kind: 'grown', bytesBefore: CHUNK_BYTES });
    expect(memory.grow(2 * CHUNK_BYTES)).toEqual({ kind: 'refused', by: 'limit' });
    expect(memory.grow(CHUNK_BYTES)).toEqual({ kind: 'grown', bytesBefore: 2 * CHUNK_BYTES });
    expect(memory.grow(CHUNK_BYTES)).toEqual({ kind: 'refused', by: 'limit' });
    expect(memory.byteLength).toBe(3 * CHUNK_BYTES);
    expect(memory.bytes()[0]).toBe(1);
  });

  test('sizes that can not be are refused', () => {
    const code = (byteLength: number, bytesMax: number): unknown => {
      try {
        createMemory(byteLength, { bytesMax, backend })[Symbol.dispose]();
        return undefined;
      } catch (error) {
        return error instanceof HostError ? error.code : error;
      }
    };
    expect(code(0, 0)).toBe(undefined);
    expect(code(CHUNK_BYTES, CHUNK_BYTES)).toBe(undefined);
    expect(code(0, MEMORY_BYTES_MAX)).toBe(undefined);
    expect(code(0, MEMORY_BYTES_MAX + CHUNK_BYTES)).toBe('memory-size');
    expect(code(2 * CHUNK_BYTES, CHUNK_BYTES)).toBe('memory-size');
    expect(code(CHUNK_BYTES - 1, CHUNK_BYTES)).toBe('memory-size');
    expect(code(0, CHUNK_BYTES + 1)).toBe('memory-size');
    expect(code(0, -CHUNK_BYTES)).toBe('memory-size');
    expect(code(0, Number.NaN)).toBe('memory-size');
  });

  test('a snapshot longer than the limit of the fork is refused', () => {
    using memory = createMemory(2 * CHUNK_BYTES, { bytesMax: 2 * CHUNK_BYTES, backend });
    using snapshot = memory.snapshot();
    expect(() => forkMemory(snapshot, { bytesMax: CHUNK_BYTES })).toThrow(HostError);
  });

  test('a fork outlives the snapshot and the memory that it came from', () => {
    const memory = createMemory(CHUNK_BYTES, { bytesMax: CHUNK_BYTES, backend });
    memory.bytes().fill(7);
    const snapshot = memory.snapshot();
    using fork = forkMemory(snapshot, { bytesMax: CHUNK_BYTES });
    snapshot[Symbol.dispose]();
    memory[Symbol.dispose]();
    fork.bytes()[5] = 8;
    using again = fork.snapshot();
    using grandchild = forkMemory(again, { bytesMax: CHUNK_BYTES });
    expect([...grandchild.bytes().subarray(4, 7)]).toEqual([7, 8, 7]);
  });

  test('writes all over the memory, snapshot by snapshot, stay right', () => {
    const length = 128 * CHUNK_BYTES;
    using memory = createMemory(length, { bytesMax: length, backend });
    const model = new Uint8Array(length);
    for (let round = 1; round <= 4; round++) {
      // Further apart than what joins ranges, and more of them than an image keeps.
      for (let page = round; page < length / PAGE_BYTES; page += 25 + round) {
        for (const bytes of [memory.bytes(), model]) bytes[page * PAGE_BYTES + round] = round;
      }
      using snapshot = memory.snapshot();
      using fork = forkMemory(snapshot, { bytesMax: length });
      expectBytes(fork.bytes(), model);
      fork.bytes().fill(round);
      expect(fork.reset()).toBe(true);
      expectBytes(fork.bytes(), model);
      expectBytes(memory.bytes(), model);
    }
  });

  test('what was disposed is not used again', () => {
    const memory = createMemory(CHUNK_BYTES, { bytesMax: CHUNK_BYTES, backend });
    const snapshot = memory.snapshot();
    for (const resource of [memory, snapshot, memory, snapshot]) resource[Symbol.dispose]();
    expect(() => memory.snapshot()).toThrow('disposal');
    expect(() => forkMemory(snapshot, { bytesMax: CHUNK_BYTES })).toThrow('disposal');
  });
});

test.runIf(process.platform === 'linux')('all three back ends are there on Linux', () => {
  expect(available).toEqual(['mmap-node', 'mmap-koffi', 'copy']);
});

test('an unknown back end is named in the error', () => {
  expect(() => backendByName('tape' as BackendName)).toThrow("back end 'tape' is not available");
});

test.runIf(available.includes('mmap-node'))('disposal closes every file', () => {
  const memory = createMemory(LENGTH, { bytesMax: LENGTH });
  const before = openFiles();
  for (let round = 0; round < 5; round++) {
    memory.bytes()[round * PAGE_BYTES] = 1;
    using snapshot = memory.snapshot();
    using fork = forkMemory(snapshot, { bytesMax: LENGTH });
    fork.bytes().fill(round);
    fork.snapshot()[Symbol.dispose]();
  }
  memory[Symbol.dispose]();
  expect(openFiles()).toBe(before);
});

test.runIf(available.includes('mmap-node'))('an idle fork takes no memory of its own', () => {
  const bytes = 1024 * CHUNK_BYTES;
  using memory = createMemory(bytes, { bytesMax: bytes });
  memory.bytes().fill(1);
  using snapshot = memory.snapshot();
  const before = anonymousBytes();
  const forks = Array.from({ length: 20 }, () => forkMemory(snapshot, { bytesMax: bytes }));
  expect(anonymousBytes() - before).toBeLessThan(bytes);
  for (const fork of forks) fork[Symbol.dispose]();
});

test('importing the package loads no foreign functions', () => {
  const script = `
    await import('${new URL('./guest-memory.ts', import.meta.url).href}');
    console.log(process.moduleLoadList.filter((name) => /\\bffi\\b/.test(name)).length);`;
  expect(outputOf(script)).toBe('0');
});

test('where foreign functions are forbidden, copying is left', () => {
  const script = `
    const select = await import('${new URL('./select-backend.ts', import.meta.url).href}');
    console.log(select.bestBackend().name);`;
  expect(outputOf(script, '--permission', '--allow-fs-read=*')).toBe('copy');
});

function outputOf(script: string, ...flags: string[]): string {
  const args = [...flags, '--input-type=module', '--eval', script];
  return execFileSync(process.execPath, args, { stdio: 'pipe' }).toString().trim();
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

function anonymousBytes(): number {
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

function joined(parts: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat([...parts]);
}

function extended(bytes: Uint8Array, more: number): Uint8Array {
  const out = new Uint8Array(bytes.length + more);
  out.set(bytes);
  return out;
}

function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  // A comparison of the whole: the matcher goes element by element.
  expect(actual.length).toBe(expected.length);
  expect(Buffer.compare(actual, expected)).toBe(0);
}

function differingPages(a: Uint8Array, b: Uint8Array): number[] {
  const pages: number[] = [];
  for (let at = 0; at < a.length; at += PAGE_BYTES) {
    const before = extended(
      b.subarray(at, at + PAGE_BYTES),
      Math.max(0, at + PAGE_BYTES - b.length),
    );
    const expected = at >= b.length ? new Uint8Array(PAGE_BYTES) : before.subarray(0, PAGE_BYTES);
    if (Buffer.compare(a.subarray(at, at + PAGE_BYTES), expected) !== 0)
      pages.push(at / PAGE_BYTES);
  }
  return pages;
}

import { beforeEach, describe, expect, test } from 'vitest';
import { DriverQueue } from '../testing/driver-queue.ts';
import { RAM_BASE } from '../layout.ts';
import { TestRam } from '../testing/test-ram.ts';
import { CHAIN_BYTES_MAX, INDIRECT_MAX, Virtqueue } from './queue.ts';

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const DATA = RAM_BASE + 0x8000;
let ram: TestRam;
let driver: DriverQueue;
let queue: Virtqueue;
let breaks: number;

function enable(hasEventIndex = false): void {
  queue.size = driver.size;
  queue.descriptors = driver.descriptors;
  queue.available = driver.available;
  queue.used = driver.used;
  queue.enable(hasEventIndex);
}

beforeEach(() => {
  ram = new TestRam();
  driver = new DriverQueue(ram, 0, 8);
  breaks = 0;
  queue = new Virtqueue(ram, 256, () => void breaks++);
});

test('a chain is read and written piece by piece, and comes back with what was written', () => {
  enable();
  const head = driver.add(Uint8Array.of(1, 2), Uint8Array.of(3), 2, 5);
  const chain = queue.pop()!;
  expect([chain.readableBytes, chain.writableBytes]).toEqual([3, 7]);
  expect([...chain.read(10)]).toEqual([1, 2, 3]);
  expect(chain.write(Uint8Array.of(9, 8, 7))).toBe(3);
  queue.push(chain);
  expect(driver.takeUsed()).toEqual([{ head, written: 3, bytes: Uint8Array.of(9, 8, 7) }]);
  expect(queue.pop()).toBeUndefined();
});

test('indexes wrap at 2^16', () => {
  enable();
  for (let i = 0; i < 65_600; i++) {
    driver.describe(i % 8, DATA, 4, 0, 0);
    driver.offer(i % 8);
    queue.push(queue.pop()!);
  }
  expect(driver.takeUsed()).toHaveLength(65_600 - 65_536);
  expect(breaks).toBe(0);
});

test('an indirect table is a chain', () => {
  enable();
  const table = new DriverQueue(ram, 0x10000, 8);
  table.describe(0, DATA, 16, NEXT, 2);
  table.describe(2, DATA + 0x100, 8, WRITE, 0);
  driver.describe(3, table.descriptors, 48, INDIRECT, 0);
  driver.offer(3);
  const chain = queue.pop()!;
  expect([chain.head, chain.readableBytes, chain.writableBytes]).toEqual([3, 16, 8]);
});

test('a chain may have as many descriptors as the queue', () => {
  enable();
  for (let i = 0; i < 8; i++) driver.describe(i, DATA, 1, i < 7 ? NEXT : 0, i + 1);
  driver.offer(0);
  expect(queue.pop()!.readableBytes).toBe(8);
});

test.each([
  [-1, false],
  [0, false],
  [1, true],
])('a chain of 16 MiB and %i bytes breaks the queue: %s', (more, isBroken) => {
  ram = new TestRam(2 ** 24 + 2 ** 20);
  driver = new DriverQueue(ram, 0, 8);
  queue = new Virtqueue(ram, 256, () => void breaks++);
  enable();
  driver.describe(0, DATA, CHAIN_BYTES_MAX - 16, NEXT, 1);
  driver.describe(1, DATA, 16 + more, WRITE, 0);
  driver.offer(0);
  expect(queue.pop() === undefined).toBe(isBroken);
  expect(queue.isBroken).toBe(isBroken);
});

test.each([
  [INDIRECT_MAX - 1, false],
  [INDIRECT_MAX, false],
  [INDIRECT_MAX + 1, true],
])('an indirect table of %i descriptors breaks the queue: %s', (count, isBroken) => {
  enable();
  new DriverQueue(ram, 0x10000, INDIRECT_MAX).describe(0, DATA, 16, 0, 0);
  driver.describe(0, RAM_BASE + 0x10000, 16 * count, INDIRECT, 0);
  driver.offer(0);
  expect(queue.pop() === undefined).toBe(isBroken);
});

describe('what breaks a queue', () => {
  test.each<[string, () => void]>([
    ['a loop of two', () => (d(0, DATA, 1, NEXT, 1), d(1, DATA, 1, NEXT, 0))],
    ['a loop of one', () => d(0, DATA, 1, NEXT, 0)],
    ['a next beyond the table', () => d(0, DATA, 1, NEXT, 8)],
    ['an address outside RAM', () => d(0, 0x1000, 1, 0, 0)],
    ['a buffer that ends outside RAM', () => d(0, RAM_BASE + 0xf_ffff, 2, 0, 0)],
    ['a length of 4 GiB', () => d(0, DATA, 0xffff_ffff, 0, 0)],
    ['reading behind writing', () => (d(0, DATA, 1, WRITE | NEXT, 1), d(1, DATA, 1, 0, 0))],
    ['an indirect table that goes on', () => d(0, DATA, 16, INDIRECT | NEXT, 1)],
    ['an indirect table of no descriptors', () => d(0, DATA, 0, INDIRECT, 0)],
    ['an indirect table of half a descriptor', () => d(0, DATA, 24, INDIRECT, 0)],
    ['an indirect table outside RAM', () => d(0, 0x1000, 16, INDIRECT, 0)],
  ])('%s', (_, describeIt) => {
    enable();
    describeIt();
    driver.offer(0);
    expect(queue.pop()).toBeUndefined();
    expect([queue.isBroken, breaks]).toEqual([true, 1]);
    expect(queue.pop()).toBeUndefined();
    expect(breaks).toBe(1);
  });

  test('an indirect table inside another', () => {
    enable();
    const table = new DriverQueue(ram, 0x10000, 8);
    table.describe(0, table.descriptors, 16, INDIRECT, 0);
    d(0, table.descriptors, 16, INDIRECT, 0);
    driver.offer(0);
    expect(queue.pop()).toBeUndefined();
    expect(breaks).toBe(1);
  });

  test.each([8, 0xffff])('a head of %i in a queue of 8', (head) => {
    enable();
    driver.offer(head);
    expect(queue.pop()).toBeUndefined();
    expect(breaks).toBe(1);
  });

  test('more available than the queue has', () => {
    enable();
    for (let i = 0; i < 9; i++) driver.offer(0);
    expect(queue.pop()).toBeUndefined();
    expect(breaks).toBe(1);
  });

  test.each<[string, () => void]>([
    ['a size that is no power of two', () => (queue.size = 6)],
    ['a size of 0', () => (queue.size = 0)],
    ['a size beyond its largest', () => (queue.size = 512)],
    ['descriptors that are not aligned', () => (queue.descriptors += 8)],
    ['an available ring that is not aligned', () => (queue.available += 1)],
    ['a used ring that is not aligned', () => (queue.used += 2)],
    ['tables outside RAM', () => (queue.descriptors = 0x1000)],
    ['a ring that ends outside RAM', () => (queue.used = RAM_BASE + 0xf_fffc)],
  ])('%s', (_, change) => {
    queue.size = driver.size;
    queue.descriptors = driver.descriptors;
    queue.available = driver.available;
    queue.used = driver.used;
    change();
    queue.enable(false);
    expect([queue.isBroken, breaks]).toEqual([true, 1]);
  });

  function d(...args: Parameters<DriverQueue['describe']>): void {
    driver.describe(...args);
  }
});

describe('interrupts', () => {
  function serve(count: number): boolean {
    for (let i = 0; i < count; i++) {
      driver.add(Uint8Array.of(1));
      queue.push(queue.pop()!);
    }
    return queue.takeSignal();
  }
  const setEvent = (event: number) =>
    ram.view().setUint16(driver.available - RAM_BASE + 4 + 16, event, true);

  test('are given for every batch, unless the driver says no', () => {
    enable();
    expect(serve(2)).toBe(true);
    expect(serve(0)).toBe(false);
    ram.view().setUint16(driver.available - RAM_BASE, 1, true);
    expect(serve(1)).toBe(false);
  });

  test('with event indexes come when the named chain is passed', () => {
    enable(true);
    setEvent(2);
    expect(serve(2)).toBe(false);
    expect(serve(1)).toBe(true);
    expect(serve(1)).toBe(false);
  });

  test('the device names the next chain that it wants to hear of', () => {
    enable(true);
    serve(3);
    expect(ram.view().getUint16(driver.used - RAM_BASE + 4 + 64, true)).toBe(3);
  });
});

import { expect, test } from 'vitest';
import { MemoryTree } from '../fuse/memory-tree.ts';
import { operations } from '../fuse/protocol.ts';
import { MmioDriver } from '../testing/mmio-driver.ts';
import { TAG_BYTES_MAX, VirtioFs } from './fs.ts';

const tree = () => new MemoryTree({ now: () => 0n });

function request(operation: number, args: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(40 + args.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, operation, true);
  view.setBigUint64(16, 1n, true);
  bytes.set(args, 40);
  return bytes;
}

test('a request in one queue is answered in it, in two pieces', () => {
  const driver = new MmioDriver(new VirtioFs({ tag: 'root', tree: tree() }));
  driver.queues[1]!.add(request(operations.GETATTR, new Uint8Array(16)), 16, 104);
  driver.notify(1);
  const [answer] = driver.queues[1]!.takeUsed();
  expect(answer!.written).toBe(120);
  expect(new DataView(answer!.bytes.buffer).getInt32(4, true)).toBe(0);
  expect(driver.takeInterrupt()).toBe(1);
});

test('what the kernel forgets comes back without an answer', () => {
  const driver = new MmioDriver(new VirtioFs({ tag: 'root', tree: tree() }));
  driver.queues[0]!.add(request(operations.FORGET, new Uint8Array(8)));
  driver.notify(0);
  expect(driver.queues[0]!.takeUsed()).toMatchObject([{ written: 0 }]);
});

test('the configuration names the tag and one request queue', () => {
  const driver = new MmioDriver(new VirtioFs({ tag: 'root', tree: tree() }));
  expect(driver.read(0x100)).toBe(0x746f_6f72);
  expect(driver.read(0x100 + TAG_BYTES_MAX)).toBe(1);
});

test.each([
  [0, true],
  [1, false],
  [35, false],
  [36, false],
  [37, true],
])('a tag of %i bytes is refused: %s', (length, isRefused) => {
  const make = () => new VirtioFs({ tag: 'x'.repeat(length), tree: tree() });
  if (isRefused) expect(make).toThrow('a tag of');
  else expect(make).not.toThrow();
});

import { expect, test } from 'vitest';
import { Bus } from './bus.ts';
import type { MmioDevice } from './device.ts';
import { type PowerEnd, Syscon } from './syscon.ts';

function recorder(size: number) {
  const stores: unknown[] = [];
  const device: MmioDevice = {
    size,
    load: (offset) => offset,
    store: (...args) => void stores.push(args),
  };
  return { device, stores };
}

test('an access reaches the device whose window holds all of it', () => {
  const bus = new Bus();
  const first = recorder(0x100);
  const second = recorder(8);
  bus.attach(0x1000, first.device);
  bus.attach(0x1100, second.device);
  expect(bus.load(0x10fc, 4)).toBe(0xfc);
  expect(bus.load(0x10fc, 8)).toBeUndefined();
  expect(bus.load(0x1100, 8)).toBe(0);
  expect(bus.load(0x1108, 1)).toBeUndefined();
  expect(bus.store(0x1104, 4, 5)).toBe(true);
  expect(bus.store(0xfff, 1, 5)).toBe(false);
  expect(second.stores).toEqual([[4, 4, 5]]);
});

test('windows do not overlap', () => {
  const bus = new Bus();
  bus.attach(0x1000, recorder(0x100).device);
  expect(() => bus.attach(0x10ff, recorder(1).device)).toThrow('no address in common');
});

test('the power register ends the machine by its value', () => {
  const ends: PowerEnd[] = [];
  const syscon = new Syscon((end) => void ends.push(end));
  syscon.store(0, 4, 0x5555);
  syscon.store(0, 4, 0x7777);
  syscon.store(0, 4, 0x0002_3333);
  syscon.store(0, 4, 0x1111);
  syscon.store(4, 4, 0x5555);
  expect(ends).toEqual([{ kind: 'poweroff' }, { kind: 'reset' }, { kind: 'failure', code: 2 }]);
  expect(syscon.load()).toBe(0);
});

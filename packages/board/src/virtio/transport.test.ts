import { describe, expect, test } from 'vitest';
import { PCI_INTA, PciHost, pciWire, sharedLine } from '../pci.ts';
import { StateReader, StateWriter } from '../state.ts';
import { DriverQueue } from '../testing/driver-queue.ts';
import { MmioDriver } from '../testing/mmio-driver.ts';
import { TestRam } from '../testing/test-ram.ts';
import { VirtioConsole } from './console.ts';
import { VirtioCore } from './core.ts';
import { VirtioPci } from './pci.ts';
import { VirtioRng } from './rng.ts';

describe('the core', () => {
  const console = () => new VirtioConsole({ transmit: () => {} });

  test('over MMIO says what it is', () => {
    const driver = new MmioDriver(console());
    expect([0, 4, 8].map((offset) => driver.read(offset))).toEqual([0x7472_6976, 2, 3]);
    driver.write(0x30, 1);
    expect([driver.read(0x34), driver.read(0x44)]).toEqual([64, 1]);
    driver.write(0x30, 2);
    expect([driver.read(0x34), driver.read(0x44)]).toEqual([0, 0]);
  });

  test('agrees to what it offered, with VERSION_1, and to nothing else', () => {
    const driver = new MmioDriver(console());
    expect(driver.read(0x70)).toBe(15);
    driver.setUp(1n);
    expect(driver.read(0x70) & 8).toBe(0);
    driver.write(0x70, 0);
    driver.write(0x24, 1);
    driver.write(0x20, 0x8000_0001);
    driver.write(0x70, 11);
    expect(driver.read(0x70)).toBe(3);
  });

  test('a broken queue needs a reset: the driver hears of it, and is not served before', () => {
    const device = new VirtioRng();
    const driver = new MmioDriver(device);
    driver.queues[0]!.offer(200);
    device.receive(new Uint8Array(8));
    expect(driver.read(0x70)).toBe(15 | 64);
    expect(driver.takeInterrupt()).toBe(2);
    driver.queues[0]!.add(4);
    driver.notify(0);
    expect(driver.queues[0]!.takeUsed()).toEqual([]);
    driver.write(0x70, 0);
    expect(driver.read(0x70)).toBe(0);
    expect(driver.read(0x44)).toBe(0);
  });

  test('tables of a queue in use stay; notifications of queues that do not exist are nothing', () => {
    const driver = new MmioDriver(console());
    driver.write(0x30, 0);
    driver.write(0x38, 8);
    expect(driver.core.queue(0).size).toBe(16);
    driver.notify(0xffff_ffff);
    expect(driver.read(0x70)).toBe(15);
  });

  test('state goes on in another one', () => {
    const device = new VirtioRng();
    const driver = new MmioDriver(device);
    driver.queues[0]!.add(4);
    driver.notify(0);
    const out = new StateWriter();
    driver.mmio.saveState(out);
    const otherDevice = new VirtioRng();
    const other = new MmioDriver(otherDevice);
    other.write(0x70, 0);
    other.ram.memory.set(driver.ram.memory);
    other.mmio.loadState(new StateReader(out.finish()));
    otherDevice.receive(Uint8Array.of(1, 2, 3, 4));
    expect(other.ram.view().getUint16(driver.queues[0]!.used - other.ram.base + 2, true)).toBe(1);
    expect(other.isInterrupted).toBe(true);
  });
});

describe('PCI', () => {
  const WINDOW = { base: 0x4000_0000, size: 0x1000_0000 };
  const BAR = 0x4001_0000;

  function setUp() {
    const ram = new TestRam();
    const device = new VirtioRng();
    const host = new PciHost(WINDOW);
    const state = { isHigh: false };
    const pci = new VirtioPci(
      (isHigh) => void (state.isHigh = isHigh),
      (line) => new VirtioCore(device, ram, line),
    );
    host.plug(2, pci);
    const config = (offset: number, size: 1 | 2 | 4 = 4) =>
      Number(host.ecam.load((2 << 15) | offset, size));
    const setConfig = (offset: number, value: number, size: 1 | 2 | 4 = 4) =>
      host.ecam.store((2 << 15) | offset, size, value);
    const read = (offset: number, size: 1 | 2 | 4 = 4) =>
      Number(host.memory.load(BAR - WINDOW.base + offset, size));
    const write = (offset: number, value: number, size: 1 | 2 | 4 = 4) =>
      host.memory.store(BAR - WINDOW.base + offset, size, value);
    return { ram, device, host, state, config, setConfig, read, write };
  }

  test('a slot without a function reads all ones', () => {
    const { host } = setUp();
    expect(host.ecam.load(0, 4)).toBe(0xffff_ffff);
    expect(host.ecam.load((2 << 15) | (1 << 12), 2)).toBe(0xffff);
    expect(host.memory.load(0x100, 1)).toBe(0xff);
  });

  test('the header names a modern entropy device with pin A and a BAR of 16 KiB', () => {
    const { config, setConfig } = setUp();
    expect(config(0)).toBe(0x1044_1af4);
    expect(config(8) & 0xff).toBe(1);
    expect(config(0x3d, 1)).toBe(1);
    setConfig(0x10, 0xffff_ffff);
    expect(config(0x10)).toBe(0xffff_c000);
    setConfig(0, 0);
    expect(config(0)).toBe(0x1044_1af4);
    expect(config(0x100)).toBe(0);
  });

  test('five capabilities lead to its registers', () => {
    const { config } = setUp();
    const found: number[][] = [];
    for (let at = config(0x34, 1); at !== 0; at = config(at + 1, 1)) {
      expect(config(at, 1)).toBe(9);
      found.push([config(at + 3, 1), config(at + 4, 1), config(at + 8), config(at + 12)]);
    }
    expect(found).toEqual([
      [1, 0, 0, 0x38],
      [3, 0, 0x1000, 0x1000],
      [4, 0, 0x2000, 0x1000],
      [2, 0, 0x3000, 0x1000],
      [5, 0, 0, 0],
    ]);
  });

  test('a driver sets it up and is served', () => {
    const { ram, device, state, config, setConfig, read, write } = setUp();
    expect(read(0x12, 2)).toBe(0xffff);
    setConfig(0x10, BAR);
    setConfig(4, 6, 2);
    expect(read(0x12, 2)).toBe(1);
    write(0x14, 3, 1);
    write(0x08, 1);
    write(0x0c, 1);
    write(0x14, 11, 1);
    expect(read(0x14, 1)).toBe(11);
    const queue = new DriverQueue(ram, 0, 8);
    write(0x16, 0, 2);
    expect(read(0x18, 2)).toBe(8);
    [queue.descriptors, queue.available, queue.used].forEach((address, i) => {
      write(0x20 + 8 * i, address);
      write(0x24 + 8 * i, 0);
      expect(read(0x20 + 8 * i)).toBe(address);
    });
    write(0x1c, 1, 2);
    write(0x14, 15, 1);
    queue.add(4);
    write(0x3000, 0, 2);
    device.receive(Uint8Array.of(1, 2, 3, 4));
    expect([...queue.takeUsed()[0]!.bytes]).toEqual([1, 2, 3, 4]);
    expect(state.isHigh).toBe(true);
    expect(config(6, 2) & 8).toBe(8);
    expect(read(0x1000, 1)).toBe(1);
    expect(state.isHigh).toBe(false);
    expect(read(0x1000, 1)).toBe(0);
  });

  test('the window capability reaches registers without a BAR', () => {
    const { config, setConfig } = setUp();
    let at = config(0x34, 1);
    while (config(at + 3, 1) !== 5) at = config(at + 1, 1);
    setConfig(at + 8, 0x12);
    setConfig(at + 12, 2);
    expect(config(at + 16, 2)).toBe(1);
    setConfig(at + 8, 0x14);
    setConfig(at + 12, 1);
    setConfig(at + 16, 1, 1);
    expect(config(at + 16, 1)).toBe(1);
    setConfig(at + 8, 0xffff_fffc);
    setConfig(at + 12, 4);
    expect(config(at + 16)).toBe(0);
  });

  test('interrupts can be switched off', () => {
    const { setConfig, state, write, read, ram, device } = setUp();
    setConfig(0x10, BAR);
    setConfig(4, 6, 2);
    write(0x14, 3, 1);
    write(0x08, 1);
    write(0x0c, 1);
    write(0x14, 11, 1);
    const queue = new DriverQueue(ram, 0, 8);
    [queue.descriptors, queue.available, queue.used].forEach((a, i) => write(0x20 + 8 * i, a));
    write(0x1c, 1, 2);
    write(0x14, 15, 1);
    setConfig(4, 0x406, 2);
    queue.add(4);
    device.receive(Uint8Array.of(1));
    expect(state.isHigh).toBe(false);
    setConfig(4, 6, 2);
    expect(state.isHigh).toBe(true);
    expect(read(0x1000, 1)).toBe(1);
  });

  test('wires are swizzled by slot, and shared', () => {
    expect([0, 1, 4, 31].map((slot) => pciWire(slot, PCI_INTA))).toEqual([0, 1, 0, 3]);
    const levels: boolean[] = [];
    const tap = sharedLine((isHigh) => void levels.push(isHigh));
    const [first, second] = [tap(), tap()];
    first(true);
    second(true);
    first(false);
    second(false);
    expect(levels).toEqual([true, true, true, false]);
  });
});

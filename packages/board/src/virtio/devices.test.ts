import { describe, expect, test } from 'vitest';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { MmioDriver } from '../testing/mmio-driver.ts';
import { RAM_BASE } from '../layout.ts';
import { BALLOON_PAGE_BYTES, VirtioBalloon } from './balloon.ts';
import { DISCARD_SECTORS_MAX, DISCARD_SEGMENTS_MAX, VirtioBlock } from './block.ts';
import { CONSOLE_INPUT_BYTES_MAX, VirtioConsole } from './console.ts';
import { FRAME_BYTES_MAX, RECEIVE_FRAMES_MAX, VirtioNet } from './net.ts';
import { ENTROPY_BYTES_MAX, VirtioRng } from './rng.ts';

const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);

describe('block', () => {
  const header = (type: number, sector: bigint) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, type, true);
    view.setBigUint64(8, sector, true);
    return bytes;
  };
  const range = (sector: bigint, sectors: number, flags = 0) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, sector, true);
    view.setUint32(8, sectors, true);
    view.setUint32(12, flags, true);
    return bytes;
  };
  function setUp(disk: MemoryDisk & { isReadOnly?: boolean } = new MemoryDisk(8192)) {
    const driver = new MmioDriver(new VirtioBlock({ disk, serial: 'disk-1' }));
    const request = (...buffers: (Uint8Array | number)[]) => {
      driver.queues[0]!.add(...buffers);
      driver.notify(0);
      return driver.queues[0]!.takeUsed()[0]!.bytes;
    };
    return { disk, driver, request };
  }

  test('its configuration says 16 sectors of 512 bytes', () => {
    const { driver } = setUp();
    expect([driver.read(0x100), driver.read(0x114)]).toEqual([16, 512]);
  });

  test('what is written is read', () => {
    const { disk, request } = setUp();
    expect([...request(header(1, 2n), pattern(1024), 1)]).toEqual([0]);
    expect(disk.contents.subarray(1024, 2048)).toEqual(pattern(1024));
    const read = request(header(0, 2n), 512, 512, 1);
    expect(read.subarray(0, 1024)).toEqual(pattern(1024));
    expect(read[1024]).toBe(0);
  });

  test('interrupts once the driver wants one', () => {
    const { driver, request } = setUp();
    request(header(4, 0n), 1);
    expect(driver.isInterrupted).toBe(true);
    expect(driver.takeInterrupt()).toBe(1);
    expect(driver.isInterrupted).toBe(false);
  });

  test('flushes, tells its serial number, and knows what it does not know', () => {
    const { disk, request } = setUp();
    expect([...request(header(4, 0n), 1)]).toEqual([0]);
    expect(disk.flushes).toBe(1);
    const id = request(header(8, 0n), 20, 1);
    expect(new TextDecoder().decode(id.subarray(0, 6))).toBe('disk-1');
    expect([...request(header(99, 0n), 1)]).toEqual([2]);
  });

  test.each([
    [15n, 512, 0],
    [16n, 512, 1],
    [15n, 1024, 1],
    [2n ** 63n, 512, 1],
    [0n, 511, 1],
  ])('sector %i with %i bytes answers status %i', (sector, length, status) => {
    const { request } = setUp();
    expect(request(header(0, sector), length, 1).at(-1)).toBe(status);
    expect(request(header(1, sector), new Uint8Array(length), 1).at(-1)).toBe(status);
  });

  test('a range is discarded, or zeroed', () => {
    const { disk, request } = setUp();
    disk.contents.fill(7);
    expect([...request(header(11, 0n), range(2n, 3), 1)]).toEqual([0]);
    expect(disk.discards).toEqual([[1024, 1536]]);
    expect([...request(header(13, 0n), range(2n, 3), 1)]).toEqual([0]);
    expect(disk.contents.subarray(1024, 2560).every((byte) => byte === 0)).toBe(true);
    expect(disk.contents[2560]).toBe(7);
    expect([...request(header(11, 0n), range(15n, 2), 1)]).toEqual([1]);
    expect([...request(header(11, 0n), range(0n, 1, 1), 1)]).toEqual([2]);
    expect([...request(header(11, 0n), range(0n, 1).subarray(1), 1)]).toEqual([1]);
  });

  test.each([
    [DISCARD_SECTORS_MAX - 1, 0],
    [DISCARD_SECTORS_MAX, 0],
    [DISCARD_SECTORS_MAX + 1, 1],
  ])('a discard of %i sectors answers %i', (sectors, status) => {
    class Large extends MemoryDisk {
      override get bytes(): number {
        return 2 ** 40;
      }
    }
    const { request } = setUp(new Large(0));
    expect([...request(header(11, 0n), range(0n, sectors), 1)]).toEqual([status]);
  });

  test.each([
    [DISCARD_SEGMENTS_MAX - 1, 0],
    [DISCARD_SEGMENTS_MAX, 0],
    [DISCARD_SEGMENTS_MAX + 1, 1],
  ])('a discard of %i ranges answers %i', (count, status) => {
    const { request } = setUp();
    const ranges = new Uint8Array(16 * count);
    for (let i = 0; i < count; i++) ranges.set(range(0n, 1), 16 * i);
    expect([...request(header(11, 0n), ranges, 1)]).toEqual([status]);
  });

  test('a fault of the disk is an error for the guest', () => {
    class Full extends MemoryDisk {
      override write(): void {
        super.write(-1, new Uint8Array(1));
      }
    }
    const { request } = setUp(new Full(8192));
    expect([...request(header(1, 0n), pattern(512), 1)]).toEqual([1]);
  });

  test('a chain without room for the status comes back empty', () => {
    const { request } = setUp();
    expect([...request(header(4, 0n))]).toEqual([]);
    expect([...request(new Uint8Array(8), 1)]).toEqual([]);
  });
});

describe('net', () => {
  function setUp() {
    const sent: Uint8Array[] = [];
    const net = new VirtioNet({
      mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      transmit: (frame) => void sent.push(frame),
    });
    return { net, sent, driver: new MmioDriver(net) };
  }

  test('a frame goes out without its header', () => {
    const { driver, sent } = setUp();
    driver.queues[1]!.add(new Uint8Array(12), pattern(60));
    driver.notify(1);
    expect(sent).toEqual([pattern(60)]);
    expect(driver.queues[1]!.takeUsed()).toHaveLength(1);
  });

  test('a frame comes in behind a header that says one buffer', () => {
    const { driver, net } = setUp();
    driver.queues[0]!.add(1526);
    expect(net.receive(pattern(60))).toBe(true);
    const [frame] = driver.queues[0]!.takeUsed();
    expect([...frame!.bytes.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(frame!.bytes.subarray(12)).toEqual(pattern(60));
  });

  test('frames wait for buffers; a buffer that is too small loses its frame', () => {
    const { driver, net } = setUp();
    net.receive(pattern(60));
    net.receive(pattern(61));
    driver.queues[0]!.add(71);
    driver.queues[0]!.add(100);
    driver.notify(0);
    expect(driver.queues[0]!.takeUsed().map(({ written }) => written)).toEqual([0, 73]);
  });

  test('a queue of frames is full at its limit, and a frame is as long as it may be', () => {
    const { net } = setUp();
    for (let i = 0; i < RECEIVE_FRAMES_MAX - 1; i++) net.receive(pattern(1));
    expect(net.receive(new Uint8Array(FRAME_BYTES_MAX + 1))).toBe(false);
    expect(net.receive(new Uint8Array(FRAME_BYTES_MAX))).toBe(true);
    expect(net.receive(pattern(1))).toBe(false);
  });

  test('without a driver frames are dropped', () => {
    const { driver, net } = setUp();
    driver.write(0x70, 0);
    expect(net.receive(pattern(60))).toBe(false);
  });
});

describe('console', () => {
  test('bytes go both ways; input waits for buffers', () => {
    const out: number[] = [];
    const device = new VirtioConsole({ transmit: (bytes) => void out.push(...bytes) });
    const driver = new MmioDriver(device);
    driver.queues[1]!.add(pattern(5));
    driver.notify(1);
    expect(out).toEqual([...pattern(5)]);
    expect(device.receive(pattern(10))).toBe(10);
    driver.queues[0]!.add(4);
    driver.queues[0]!.add(20);
    driver.notify(0);
    const used = driver.queues[0]!.takeUsed();
    expect(used.map(({ bytes }) => [...bytes])).toEqual([
      [...pattern(4)],
      [...pattern(10).subarray(4)],
    ]);
  });

  test.each([
    [CONSOLE_INPUT_BYTES_MAX - 1, CONSOLE_INPUT_BYTES_MAX - 1],
    [CONSOLE_INPUT_BYTES_MAX, CONSOLE_INPUT_BYTES_MAX],
    [CONSOLE_INPUT_BYTES_MAX + 1, CONSOLE_INPUT_BYTES_MAX],
  ])('of %i bytes it takes %i', (count, taken) => {
    const device = new VirtioConsole({ transmit: () => {} });
    expect(device.receive(new Uint8Array(count))).toBe(taken);
  });

  test('a new size is told by a configuration interrupt', () => {
    const device = new VirtioConsole({ transmit: () => {} });
    const driver = new MmioDriver(device);
    const generation = driver.read(0xfc);
    device.resize(132, 43);
    expect(driver.takeInterrupt()).toBe(2);
    expect(driver.read(0x100)).toBe(132 | (43 << 16));
    expect(driver.read(0xfc)).toBe(generation + 1);
  });
});

describe('rng', () => {
  test('gives each byte once, and waits where there is none', () => {
    const device = new VirtioRng();
    const driver = new MmioDriver(device);
    driver.queues[0]!.add(4);
    driver.queues[0]!.add(4);
    driver.notify(0);
    expect(driver.queues[0]!.takeUsed()).toEqual([]);
    device.receive(Uint8Array.of(1, 2, 3, 4, 5));
    const used = driver.queues[0]!.takeUsed();
    expect(used.map(({ bytes }) => [...bytes])).toEqual([[1, 2, 3, 4], [5]]);
  });

  test.each([-1, 0, 1])('keeps at most its limit (%i)', (more) => {
    const device = new VirtioRng();
    device.receive(new Uint8Array(ENTROPY_BYTES_MAX + more));
    expect(device.wantedBytes).toBe(Math.max(0, -more));
  });
});

describe('balloon', () => {
  test('hears how many pages are wanted, and names those it gives away', () => {
    const released: number[] = [];
    const device = new VirtioBalloon((address) => void released.push(address));
    const driver = new MmioDriver(device);
    device.target = 2;
    expect(driver.takeInterrupt()).toBe(2);
    expect(driver.read(0x100)).toBe(2);
    const numbers = Uint32Array.of(RAM_BASE / BALLOON_PAGE_BYTES, RAM_BASE / 4096 + 5);
    driver.queues[0]!.add(new Uint8Array(numbers.buffer));
    driver.notify(0);
    driver.write(0x104, 2);
    expect(released).toEqual([RAM_BASE, RAM_BASE + 5 * 4096]);
    expect(device.actual).toBe(2);
    driver.queues[1]!.add(new Uint8Array(numbers.buffer));
    driver.notify(1);
    expect(driver.queues[1]!.takeUsed()).toHaveLength(1);
    expect(released).toHaveLength(2);
  });
});

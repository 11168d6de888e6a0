import { assert } from '@polyvisor/errors/assert';
import { MemoryTree } from '../fuse/memory-tree.ts';
import { operations } from '../fuse/protocol.ts';
import { VirtioBalloon } from '../virtio/balloon.ts';
import { VirtioBlock } from '../virtio/block.ts';
import { VirtioConsole } from '../virtio/console.ts';
import { STATUS_DRIVER_OK, STATUS_NEEDS_RESET } from '../virtio/core.ts';
import type { VirtioDevice } from '../virtio/device.ts';
import { VirtioFs } from '../virtio/fs.ts';
import { VirtioNet } from '../virtio/net.ts';
import { VirtioRng } from '../virtio/rng.ts';
import { VirtioVsock } from '../virtio/vsock.ts';
import type { DriverQueue } from './driver-queue.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MmioDriver } from './mmio-driver.ts';
import { Random } from './random.ts';
import { RAM_BASE } from '../layout.ts';

/** A device, what a request to it begins with, and how the host acts on it. */
interface Subject {
  readonly name: string;
  readonly driver: MmioDriver;
  readonly writeRequest: (random: Random, view: DataView) => void;
  readonly poke: (random: Random) => void;
}

export interface FuzzCounts {
  cases: number;
  /** Cases whose queue was found to be malformed. */
  broken: number;
  /** Chains that came back. */
  returned: number;
}

const QUEUE_SIZE = 16;
const DATA_OFFSET = 0xe_0000;
const NEXT = 1;
const WRITE = 2;

/**
 * Drivers that put anything into their queues: descriptors that loop, overlap the rings, leave RAM;
 * lengths, flags, heads and indexes at random; requests that are half right. No device may throw;
 * what comes back was offered; and after a reset each serves a right request.
 * @throws on the first case that fails, with its number and its seed
 */
export function fuzzVirtio(seed: number, cases: number): FuzzCounts {
  const subjects = makeSubjects();
  const counts: FuzzCounts = { cases: 0, broken: 0, returned: 0 };
  for (let i = 0; i < cases; i++) {
    const subject = subjects[i % subjects.length]!;
    try {
      runCase(subject, new Random(seed + i), counts);
    } catch (error) {
      const where = `${subject.name}: case ${i} of seed ${seed}`;
      throw new Error(`${where}: ${String(error)}`, { cause: error });
    }
    counts.cases++;
  }
  return counts;
}

function makeSubjects(): Subject[] {
  const subject = (
    name: string,
    device: VirtioDevice,
    writeRequest: Subject['writeRequest'],
    poke: Subject['poke'] = () => {},
  ): Subject => ({
    name,
    driver: new MmioDriver(device, undefined, QUEUE_SIZE),
    writeRequest,
    poke,
  });
  const tree = new MemoryTree({ now: () => 0n, bytesMax: 2 ** 20, nodesMax: 64 });
  const net = new VirtioNet({ mac: new Uint8Array(6), transmit: () => {} });
  const console = new VirtioConsole({ transmit: () => {} });
  const rng = new VirtioRng();
  const vsock = new VirtioVsock({ guestCid: 3 });
  vsock.listen(1, (stream) => ({ data: (bytes) => stream.write(bytes), closed: () => {} }));
  const bytes = (random: Random) => new Uint8Array(random.below(3000));
  return [
    subject('block', new VirtioBlock({ disk: new MemoryDisk(65_536) }), blockRequest),
    subject(
      'net',
      net,
      () => {},
      (random) => net.receive(bytes(random)),
    ),
    subject(
      'console',
      console,
      () => {},
      (random) => console.receive(bytes(random)),
    ),
    subject(
      'rng',
      rng,
      () => {},
      (random) => rng.receive(bytes(random)),
    ),
    subject('balloon', new VirtioBalloon(() => {}), () => {}),
    subject('vsock', vsock, vsockRequest, () => {
      vsock.connect(7, { data: () => {}, closed: () => {} })?.write(new Uint8Array(100));
    }),
    subject('fs', new VirtioFs({ tag: 'x', tree }), fuseRequest),
  ];
}

function runCase(subject: Subject, random: Random, counts: FuzzCounts): void {
  const { driver } = subject;
  driver.ram.memory.fill(0, 0, 0x8_0000);
  driver.setUp(random.oneIn(4) ? BigInt(random.next()) | (1n << 32n) : 0xffff_ffff_ffffn);
  if (random.oneIn(8)) moveTables(driver, random);
  const wrongIn = random.pick([20, 200, 100_000]);
  for (let round = random.below(3); round >= 0; round--) {
    const queue = random.below(driver.queues.length);
    fill(subject, driver.queues[queue]!, random, wrongIn);
    if (random.oneIn(2)) subject.poke(random);
    driver.notify(random.oneIn(16) ? random.next() : queue);
    if (random.oneIn(4)) driver.takeInterrupt();
  }
  if ((driver.read(0x70) & STATUS_NEEDS_RESET) !== 0) counts.broken++;
  for (const queue of driver.queues) counts.returned += countUsed(queue, driver);
  checkAlive(subject);
}

/** Rings at any address: the device has to find out. */
function moveTables(driver: MmioDriver, random: Random): void {
  driver.write(0x70, 0);
  driver.setUp(0n);
  driver.write(0x24, 1);
  driver.write(0x20, 1);
  driver.write(0x70, 11);
  for (const [index] of driver.queues.entries()) {
    driver.write(0x30, index);
    driver.write(0x38, random.pick([0, 1, 3, 8, 16, 1024, random.next()]));
    for (const register of [0x80, 0x90, 0xa0]) {
      driver.write(register, anyAddress(random));
      driver.write(register + 4, random.oneIn(8) ? random.next() : 0);
    }
    driver.write(0x44, 1);
  }
  driver.write(0x70, 15);
}

/**
 * A chain of four descriptors at every fourth; something is wrong about once in `wrongIn` choices.
 */
function fill(subject: Subject, queue: DriverQueue, random: Random, wrongIn: number): void {
  const { ram } = subject.driver;
  const view = new DataView(ram.memory.buffer, DATA_OFFSET);
  for (let i = 0; i < 64; i++) view.setUint32(4 * random.below(0x400), random.next(), true);
  subject.writeRequest(random, view);
  const isWrong = (): boolean => random.oneIn(wrongIn);
  for (let index = 0; index < queue.size; index++) {
    const place = index % 4;
    const data = RAM_BASE + DATA_OFFSET;
    const right = place === 0 ? data : data + 16 * random.below(0x400);
    const size = random.pick([1, 8, 16, 40, 44, 100, 512, 4096, random.below(20_000)]);
    const wanted = place === 3 ? WRITE : NEXT;
    queue.describe(
      index,
      isWrong() ? anyAddress(random) : right,
      isWrong() ? random.next() : size,
      isWrong() ? random.below(8) : random.oneIn(2) && place > 1 ? wanted | WRITE : wanted,
      isWrong() ? random.below(70_000) : index + 1,
    );
  }
  const offers = isWrong() ? random.below(40) : random.below(4);
  for (let i = 0; i <= offers; i++) {
    queue.offer(isWrong() ? random.below(70_000) : 4 * random.below(queue.size / 4));
  }
}

function anyAddress(random: Random): number {
  const end = RAM_BASE + 0x10_0000;
  return random.pick([
    RAM_BASE + 0x8_0000 + random.below(0x5_0000),
    RAM_BASE + 0x8_0000 + 16 * random.below(0x5000),
    RAM_BASE + 0x8_0000 + 16 * random.below(0x5000),
    // The rings themselves.
    RAM_BASE + random.below(0x400),
    end - random.below(100),
    RAM_BASE - random.below(100),
    random.next(),
  ]);
}

/**
 * @returns how many chains came back in a ring that is where the driver put it; each names a
 * descriptor
 */
function countUsed(queue: DriverQueue, driver: MmioDriver): number {
  const view = driver.ram.view();
  const at = queue.used - RAM_BASE;
  return Math.min(view.getUint16(at + 2, true), queue.size);
}

/** After a reset, an entropy request, or a request of nothing, comes back. */
function checkAlive({ driver, poke, name }: Subject): void {
  driver.write(0x70, 0);
  driver.ram.memory.fill(0, 0, 0x8_0000);
  driver.setUp(0xffff_ffff_ffffn);
  assert(driver.read(0x70) === (11 | STATUS_DRIVER_OK), 'a device that was reset starts');
  const index = name === 'block' || name === 'rng' || name === 'balloon' ? 0 : 1;
  const queue = driver.queues[index]!;
  queue.describe(0, RAM_BASE + DATA_OFFSET, 8, 1, 1);
  queue.describe(1, RAM_BASE + DATA_OFFSET, 8, 2, 0);
  const view = driver.ram.view();
  const available = queue.available - RAM_BASE;
  view.setUint16(available + 2, 1, true);
  driver.notify(index);
  if (name === 'rng') poke(new Random(1));
  if (name === 'rng') poke(new Random(2));
  assert(view.getUint16(queue.used - RAM_BASE + 2, true) === 1, 'a device that was reset serves');
}

function blockRequest(random: Random, view: DataView): void {
  view.setUint32(0, random.pick([0, 1, 4, 8, 11, 13, random.next()]), true);
  view.setUint32(8, random.pick([0, 1, 127, 128, random.next()]), true);
  view.setUint32(12, random.oneIn(8) ? random.next() : 0, true);
}

function vsockRequest(random: Random, view: DataView): void {
  view.setBigUint64(0, 3n, true);
  view.setBigUint64(8, random.oneIn(8) ? BigInt(random.next()) : 2n, true);
  view.setUint32(16, random.below(4), true);
  view.setUint32(20, random.below(3), true);
  view.setUint32(24, random.pick([0, 1, 56, 100, random.next()]), true);
  view.setUint16(28, random.oneIn(8) ? random.below(3) : 1, true);
  view.setUint16(30, random.below(9), true);
}

const operationNumbers = Object.values(operations);

function fuseRequest(random: Random, view: DataView): void {
  view.setUint32(4, random.oneIn(16) ? random.next() : random.pick(operationNumbers), true);
  view.setBigUint64(16, BigInt(random.oneIn(8) ? random.next() : 1 + random.below(8)), true);
  // Arguments are often small numbers or names.
  for (let at = 40; at < 100; at += 4) {
    view.setUint32(at, random.pick([0, 1, 8, 0x61, 0x6262_0061, 4096, random.next()]), true);
  }
}

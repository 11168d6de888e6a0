import { assert } from '@polyvisor/errors/assert';
import { Board } from '../board.ts';
import { MemoryTree } from '../fuse/memory-tree.ts';
import {
  ACLINT_BASE,
  GENERATION_ID_BASE,
  PCI_ECAM_BASE,
  PCI_MEMORY_BASE,
  PLIC_BASE,
  RAM_BASE,
  RTC_BASE,
  SSWI_BASE,
  SYSCON_BASE,
  UART_BASE,
  VIRTIO_BASE,
} from '../layout.ts';
import { StateReader, StateWriter } from '../state.ts';
import { VirtioBalloon } from '../virtio/balloon.ts';
import { VirtioBlock } from '../virtio/block.ts';
import { VirtioConsole } from '../virtio/console.ts';
import { VirtioFs } from '../virtio/fs.ts';
import { VirtioNet } from '../virtio/net.ts';
import { VirtioRng } from '../virtio/rng.ts';
import { VirtioVsock } from '../virtio/vsock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { Random } from './random.ts';
import { TestRam } from './test-ram.ts';

const sizes = [1, 2, 4, 8] as const;

/** Where something answers, and how far from there an access may go. */
const regions: readonly (readonly [base: number, span: number])[] = [
  [SYSCON_BASE, 8],
  [SSWI_BASE, 0x20],
  [RTC_BASE, 0x30],
  [GENERATION_ID_BASE, 0x20],
  [ACLINT_BASE, 0x20],
  [ACLINT_BASE + 0x4000, 0x20],
  [ACLINT_BASE + 0xbff0, 0x10],
  [PLIC_BASE, 0x120],
  [PLIC_BASE + 0x1000, 0x20],
  [PLIC_BASE + 0x2000, 0x120],
  [PLIC_BASE + 0x20_0000, 0x3000],
  [UART_BASE, 10],
  [VIRTIO_BASE, 0x130],
  [VIRTIO_BASE + 0x1000, 0x130],
  [PCI_ECAM_BASE, 0x100],
  [PCI_ECAM_BASE + (1 << 15), 0x100],
  [PCI_ECAM_BASE + (6 << 15), 0x2000],
  [PCI_MEMORY_BASE, 0x40],
  [PCI_MEMORY_BASE + 0x1000, 0x3000],
  [PCI_MEMORY_BASE + 0x4000, 0x40],
];

/**
 * Any access to any register: no device may throw, and what is read fits the size. Now and then the
 * state is saved and loaded. @throws on the first access that fails, with its number and its seed
 */
export function fuzzRegisters(seed: number, accesses: number): { accesses: number; loads: number } {
  const random = new Random(seed);
  const board = makeBoard();
  let loads = 0;
  for (let i = 0; i < accesses; i++) {
    const [base, span] = random.pick(regions);
    const size = random.pick(sizes);
    const address =
      base + (random.oneIn(8) ? random.below(span) : (random.below(span) & -size) >>> 0);
    try {
      if (random.oneIn(2)) {
        check(board.bus.load(address, size), size);
        loads++;
      } else {
        board.bus.store(address, size, valueOf(random, size));
      }
      if (random.oneIn(4096)) reload(board);
    } catch (error) {
      const where = `access ${i} of seed ${seed}, ${size} bytes at 0x${address.toString(16)}`;
      throw new Error(`${where}: ${String(error)}`, { cause: error });
    }
  }
  return { accesses, loads };
}

function makeBoard(): Board {
  const clock = { ticks: 1000 };
  const tree = new MemoryTree({ now: () => 0n });
  return new Board({
    clock,
    ram: new TestRam(),
    epochNs: 0n,
    transmit: () => {},
    end: () => {},
    mmioDevices: [
      new VirtioBlock({ disk: new MemoryDisk(65_536) }),
      new VirtioConsole({ transmit: () => {} }),
    ],
    pciDevices: [
      new VirtioNet({ mac: new Uint8Array(6), transmit: () => {} }),
      new VirtioFs({ tag: 'x', tree }),
      new VirtioRng(),
      new VirtioBalloon(() => {}),
      new VirtioVsock({ guestCid: 3 }),
    ],
  });
}

/** Numbers that mean something to some register, and others. */
function valueOf(random: Random, size: 1 | 2 | 4 | 8): number | bigint {
  const word = random.pick([
    0, 1, 2, 3, 11, 15, 0xff, 0x1000, PCI_MEMORY_BASE, PCI_MEMORY_BASE + 0x4000,
    RAM_BASE + 16 * random.below(0x1000), random.next(),
  ]); // prettier-ignore
  if (size === 8) return (BigInt(random.oneIn(2) ? 0 : random.next()) << 32n) | BigInt(word);
  return size === 4 ? word : word % 2 ** (8 * size);
}

function check(value: number | bigint | undefined, size: 1 | 2 | 4 | 8): void {
  if (value === undefined) return;
  assert(typeof value === 'number' || size === 8, 'only eight bytes are a bigint');
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
  assert(isWhole && value >= 0 && value < 2n ** BigInt(8 * size), `${value} is not ${size} bytes`);
}

function reload(board: Board): void {
  const out = new StateWriter();
  board.saveState(out);
  board.loadState(new StateReader(out.finish()));
}

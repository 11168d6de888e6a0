import { HostError } from '@polyvisor/errors/host-error';
import { PAGE_BYTES } from '@polyvisor/memory/pages';
import type { Processor } from '@polyvisor/riscv/contract';
import { csrNumbers } from '@polyvisor/riscv/csr-numbers';
import { rows } from '@polyvisor/riscv/table/rows';
import { boardTree } from './board-tree.ts';
import { flattenTree } from './device-tree.ts';
import type { GuestRam } from './device.ts';
import { readElf } from './elf.ts';
import { readLinuxImage } from './linux-image.ts';

/** What the machine begins with. */
export type Boot =
  | {
      readonly kind: 'linux';
      /** An uncompressed `Image`. */
      readonly kernel: Uint8Array;
      /** A cpio archive, compressed with anything that the kernel knows. */
      readonly initrd?: Uint8Array;
      readonly arguments?: string;
      /** Randomness for the kernel's generator. */
      readonly rngSeed?: Uint8Array;
    }
  | {
      readonly kind: 'program';
      /** A static ELF executable at physical addresses. */
      readonly file: Uint8Array;
      /**
       * `supervisor`: the board serves its environment calls; `machine`: it has the hart for
       * itself.
       */
      readonly mode: 'supervisor' | 'machine';
    };

/**
 * What the table of instructions doesn't show: compressed ones, counters, the supervisor's timer.
 */
const OTHER_EXTENSIONS = ['c', 'zicntr', 'sstc'];
/**
 * Single letters in the order of an ISA's name, then the names of several letters: Z first, then S.
 */
const LETTERS = 'imafdqcbvh';

function extensions(): string[] {
  const names = new Set([...rows.map((row) => row.since.toLowerCase()), ...OTHER_EXTENSIONS]);
  const beginningWith = (letter: string): string[] =>
    [...names].filter((name) => name.length > 1 && name.startsWith(letter)).toSorted();
  // Sv39 and its like are told by `mmu-type`.
  const supervisor = beginningWith('s').filter((name) => !name.startsWith('sv'));
  return [
    ...[...LETTERS].filter((letter) => names.has(letter)),
    ...beginningWith('z'),
    ...supervisor,
  ];
}

/** Whether the board stands in for firmware, and the hart begins in S mode. */
export function needsSbi(what: Boot): boolean {
  return what.kind === 'linux' || what.mode === 'supervisor';
}

const A0 = 10;
const A1 = 11;
const ALL_COUNTERS = 7n;
const TREE_ALIGNMENT = 2 ** 21;

/**
 * Puts the images into RAM and a new hart at their beginning.
 * @see RISC-V SBI 2.0, and Linux, Documentation/arch/riscv/boot.rst: what firmware leaves a kernel
 * with
 * @param virtioSlots of the MMIO bus that have a device
 */
export function boot(
  what: Boot,
  processor: Processor,
  ram: GuestRam,
  virtioSlots: readonly number[],
): void {
  const ramEnd = ram.base + ram.byteLength;
  const { entry, end } =
    what.kind === 'linux' ? placeKernel(what.kernel, ram) : placeProgram(what.file, ram);
  const initrdFile = what.kind === 'linux' ? what.initrd : undefined;
  // From the end of RAM down: the tree where a large page begins, so that a kernel maps it whole,
  // and the initrd.
  const treeAt = Math.floor((ramEnd - 1) / TREE_ALIGNMENT) * TREE_ALIGNMENT;
  const initrdAt = roundDown(treeAt - (initrdFile?.length ?? 0), PAGE_BYTES);
  const tree = flattenTree(
    boardTree({
      ramBytes: ram.byteLength,
      extensions: extensions(),
      bootArguments: (what.kind === 'linux' && what.arguments) || '',
      initrd: initrdFile && { start: initrdAt, end: initrdAt + initrdFile.length },
      rngSeed: what.kind === 'linux' ? what.rngSeed : undefined,
      virtioSlots,
    }),
  );
  if (initrdAt < end || treeAt + tree.length > ramEnd) throw tooSmall(ram.byteLength);
  if (initrdFile) place(ram, initrdAt, initrdFile);
  place(ram, treeAt, tree);
  // Kernels without a driver for counters leave this to firmware, and have programs read the time
  // by themselves.
  if (needsSbi(what)) processor.setCsr(csrNumbers.scounteren, ALL_COUNTERS);
  processor.pc = entry;
  processor.setX(A0, 0n);
  processor.setX(A1, BigInt(treeAt));
}

interface Placed {
  readonly entry: bigint;
  /** Physical address behind all that it uses. */
  readonly end: number;
}

function placeKernel(kernel: Uint8Array, ram: GuestRam): Placed {
  const { offset, byteLength } = readLinuxImage(kernel);
  const address = ram.base + offset;
  if (offset + byteLength > ram.byteLength) throw tooSmall(ram.byteLength);
  place(ram, address, kernel);
  return { entry: BigInt(address), end: address + byteLength };
}

function placeProgram(file: Uint8Array, ram: GuestRam): Placed {
  const { entry, segments } = readElf(file);
  let end = ram.base;
  for (const { address, bytes, byteLength } of segments) {
    if (ram.bytes(address, byteLength) === undefined) {
      throw new HostError(
        'elf-file',
        `the program wants ${byteLength} bytes at 0x${address.toString(16)}, which are not all RAM`,
        `link it for 0x${ram.base.toString(16)}`,
      );
    }
    place(ram, address, bytes);
    end = Math.max(end, address + byteLength);
  }
  return { entry, end };
}

function place(ram: GuestRam, address: number, bytes: Uint8Array): void {
  ram.bytes(address, bytes.length)!.set(bytes);
}

function roundDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

function tooSmall(ramBytes: number): HostError {
  return new HostError(
    'ram-size',
    `${ramBytes} bytes of memory are too few for what is to be booted`,
    'give the machine more memory',
  );
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disassemble } from '@polyvisor/riscv/disassembler';
import { Hart } from '@polyvisor/riscv/hart';
import {
  DUMP_BYTES,
  type RandomProgram,
  randomProgram,
} from '@polyvisor/riscv/testing/random-program';
import type { Fuzz } from './fuzz.ts';

const BLOCKS = 1000;
const PASSES = 25;
/** QEMU 7.2 counts on in the upper half where the lower one is 0. @see QEMU commit "target/riscv: fix ctzw behavior" */
const WITHOUT = new Set(['ctzw']);
const STEPS_PER_RUN = 1_000_000;

/**
 * Random instructions here and in QEMU's user mode: all registers, and the flags, must be the same every few instructions.
 * A case is an instruction.
 */
export const fuzz: Fuzz = {
  summary: 'random RV64GC and Zb* instructions, the engine against qemu-riscv64',
  run: async ({ seed, n }) => {
    const folder = mkdtempSync(join(tmpdir(), 'polyvisor-riscv-'));
    let instructions = 0;
    let programs = 0;
    try {
      for (; instructions < n; programs++) {
        const program = randomProgram(seed + programs, BLOCKS, PASSES, WITHOUT);
        compare(seed + programs, program, runOurs(program), runQemu(program, folder));
        instructions += program.instructions;
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return { programs, instructions, dumps: programs * BLOCKS * PASSES };
  },
};

function runOurs(program: RandomProgram): Uint8Array {
  const { base, image, memoryBytes, dump, dumpBytes } = program;
  const memory = new WebAssembly.Memory({ initial: memoryBytes / 65_536 });
  const ram = new Uint8Array(memory.buffer);
  ram.set(image);
  const hart = new Hart({
    memory,
    ramBase: base,
    ramBytes: memoryBytes,
    bus: { load: () => undefined, store: () => false },
    clock: () => 0,
    isSbiOutside: true,
  });
  hart.pc = BigInt(base);
  hart.setCsr(0x100, 0x6000n);
  hart.setCsr(0x105, BigInt(program.trapVector));
  for (;;) {
    const { reason } = hart.run(STEPS_PER_RUN);
    if (reason === 'sbi') break;
    if (reason !== 'budget') throw new Error(`the run ended: ${reason}`);
  }
  if (hart.pc === BigInt(program.trapVector + 4)) {
    const [cause, pc, value] = [0x142, 0x141, 0x143].map((number) =>
      hart.csr(number)!.toString(16),
    );
    throw new Error(`trap ${cause} at ${pc}: ${value}`);
  }
  return ram.slice(dump - base, dump - base + dumpBytes);
}

function runQemu(
  { base, image, memoryBytes, dumpBytes }: RandomProgram,
  folder: string,
): Uint8Array {
  const path = join(folder, 'program');
  writeFileSync(path, elf(base, image, memoryBytes), { mode: 0o755 });
  const { stdout, status, signal, error, stderr } = spawnSync('qemu-riscv64', [path], {
    maxBuffer: 2 * dumpBytes,
  });
  if (error) throw new Error('qemu-riscv64 is needed (Debian: qemu-user)', { cause: error });
  if (status !== 0) throw new Error(`qemu-riscv64 ended with ${status ?? signal}: ${stderr}`);
  return stdout;
}

/** An executable of one segment, all rights. @see System V ABI, chapters 4 and 5 */
function elf(base: number, image: Uint8Array, memoryBytes: number): Uint8Array {
  const header = Buffer.alloc(4096);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(243, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt32LE(5, 48);
  [64, 56, 1, 64, 0, 0].forEach((value, i) => header.writeUInt16LE(value, 52 + 2 * i));
  header.writeUInt32LE(1, 64);
  header.writeUInt32LE(7, 68);
  [4096, base, base, image.length, memoryBytes, 4096].forEach((value, i) =>
    header.writeBigUInt64LE(BigInt(value), 72 + 8 * i),
  );
  return Buffer.concat([header, image]);
}

function compare(seed: number, program: RandomProgram, ours: Uint8Array, theirs: Uint8Array): void {
  const a = new BigUint64Array(ours.buffer, ours.byteOffset, ours.length / 8);
  const b = new BigUint64Array(theirs.slice().buffer);
  if (b.length !== a.length) throw new Error(`QEMU dumped ${theirs.length} bytes`);
  const words = DUMP_BYTES / 8;
  const at = a.findIndex((value, i) => value !== b[i]);
  if (at < 0) return;
  const dump = Math.floor(at / words);
  const names = [
    ...Array.from({ length: 32 }, (_, i) => `x${i}`),
    ...Array.from({ length: 32 }, (_, i) => `f${i}`),
    'fcsr',
  ];
  const lines = names.flatMap((name, i) => {
    const [mine, other] = [a[dump * words + i]!, b[dump * words + i]!];
    const before = dump === 0 ? '' : ` before ${a[(dump - 1) * words + i]!.toString(16)}`;
    const mark = mine === other ? '' : `   QEMU ${other.toString(16)}`;
    return [`${name} ${mine.toString(16)}${mark}${before}`];
  });
  const code = program.blocks[dump % program.blocks.length]!.map((word) => disassemble(word));
  throw new Error(`seed ${seed}, dump ${dump}\n${code.join('\n')}\n${lines.join('\n')}`);
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disassemble } from '@polyvisor/riscv/disassembler';
import { type RandomProgram, randomProgram } from '@polyvisor/riscv/testing/random-program';
import { difference, runOnHart } from '@polyvisor/riscv/testing/run-program';
import type { Fuzz } from './fuzz.ts';

/** Much code, interpreted; and little, which is compiled soon and runs long. */
const shapes = [
  { blockCount: 1000, passes: 25, hotLandings: Infinity },
  { blockCount: 50, passes: 500, hotLandings: 3 },
] as const;
/** QEMU 7.2 counts on in the upper half where the lower one is 0. @see QEMU commit "target/riscv: fix ctzw behavior" */
const WITHOUT = new Set(['ctzw']);

/**
 * Random instructions here and in QEMU's user mode: all registers, the flags and the memory must be the same every few
 * instructions.
 * A case is an instruction.
 */
export const fuzz: Fuzz = {
  peer: 'qemu',
  summary: 'random RV64GC and Zb* instructions, the engine against qemu-riscv64',
  run: async ({ seed, n }) => {
    const folder = mkdtempSync(join(tmpdir(), 'polyvisor-riscv-'));
    let instructions = 0;
    let programs = 0;
    let dumps = 0;
    try {
      for (; instructions < n; programs++) {
        const { blockCount, passes, hotLandings } = shapes[programs % shapes.length]!;
        const program = randomProgram({
          seed: seed + programs,
          blockCount,
          passes,
          accepts: (name) => !WITHOUT.has(name),
        });
        const ours = runOnHart(program, { hotLandings });
        const found = difference(program, ours, runQemu(program, folder), disassemble);
        if (found !== undefined) {
          const shape = JSON.stringify(shapes[programs % shapes.length]);
          throw new Error(`seed ${seed + programs}, ${shape}: ${found}`);
        }
        dumps += blockCount * passes;
        instructions += program.instructions;
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return { programs, instructions, dumps };
  },
};

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

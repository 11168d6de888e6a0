import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { disassemble } from '@polyvisor/riscv/disassembler';
import { Hart } from '@polyvisor/riscv/hart';
import { readElf } from '@polyvisor/riscv/testing/elf';
import { randomProgram, randomRows } from '@polyvisor/riscv/testing/random-program';
import { difference, runOnHart, runOnReference } from '@polyvisor/riscv/testing/run-program';
import { type FileResult, type RunOptions, book, emptyResult } from './suite.ts';
import type { TarFile } from './tar.ts';

const SEEDS = [1, 2, 3, 4, 5];
const BLOCKS = 5;
const PASSES = 2;
const RAM_BASE = 0x8000_0000;
const RAM_BYTES = 4 * 1024 * 1024;
const STEPS_MAX = 2_000_000;
const STEPS_PER_RUN = 1000;
/** Landings after which code is compiled. */
const tiers = { interpreted: Infinity, compiled: 1 };
/** Names of riscv-tests for extensions that are not there. */
const MISSING = /^rv64\w(zbc|zbkb|zbkx|zfh|zicond|ziccid|svnapot|p)-/;

/** Instructions by name; or programs of riscv-tests by path, without their listings. */
export function* inputs(folder: string | undefined): Generator<TarFile> {
  const bytes = Buffer.alloc(0);
  if (folder === undefined) {
    for (const { name } of randomRows) yield { path: name, bytes };
    return;
  }
  for (const name of readdirSync(folder)) {
    if (/^rv64\w+-[pv]-[\w-]+$/.test(name)) yield { path: join(folder, name), bytes };
  }
}

export function runFile(path: string, _content: string, options: RunOptions): FileResult {
  const result = emptyResult();
  const missing = MISSING.exec(basename(path));
  if (missing) {
    const reason = `the hart has no ${missing[1]}`;
    result.skipped.push({ name: basename(path), reason });
    return result;
  }
  for (const [tier, hotLandings] of Object.entries(tiers)) {
    const isProgram = path.includes('/');
    const name = `${isProgram ? basename(path) : path} (${tier})`;
    book(result, name, options, () =>
      isProgram ? runElf(path, hotLandings) : runInstruction(path, hotLandings),
    );
  }
  return result;
}

/** Random operands for an instruction, on the engine and by its definition. */
function runInstruction(name: string, hotLandings: number): string | undefined {
  for (const seed of SEEDS) {
    const accepts = (other: string): boolean => other === name;
    const program = randomProgram({ seed, blockCount: BLOCKS, passes: PASSES, accepts });
    const ours = runOnHart(program, { hotLandings });
    const found = difference(program, ours, runOnReference(program), disassemble);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A program says how it ended in its word `tohost`: 1, or the number of the test that failed, doubled and odd. */
function runElf(path: string, hotLandings: number): string | undefined {
  const { entry, segments, symbols } = readElf(readFileSync(path));
  const tohost = symbols.get('tohost');
  if (tohost === undefined) return 'there is no symbol tohost';
  const memory = new WebAssembly.Memory({ initial: RAM_BYTES / 65_536 });
  const ram = new Uint8Array(memory.buffer);
  for (const { address, bytes } of segments) ram.set(bytes, address - RAM_BASE);
  const hart = new Hart({
    memory,
    ramBase: RAM_BASE,
    ramBytes: RAM_BYTES,
    bus: { load: () => undefined, store: () => false },
    clock: (steps) => steps,
    codePagesMax: 64,
    hotLandings,
  });
  hart.pc = BigInt(entry);
  const words = new DataView(memory.buffer);
  for (let used = 0; used < STEPS_MAX;) {
    const run = hart.run(STEPS_PER_RUN);
    used += run.used;
    const verdict = words.getUint32(tohost - RAM_BASE, true);
    if (verdict === 1) return undefined;
    if (verdict !== 0) return `test ${verdict >>> 1} failed`;
    if (run.reason !== 'budget') return `the run ended: ${run.reason}`;
  }
  return `no end after ${STEPS_MAX} steps, at ${hart.pc.toString(16)}`;
}

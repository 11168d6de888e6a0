import type { HartOptions } from '../contract.ts';
import { Hart } from '../hart.ts';
import { DUMP_BYTES, type RandomProgram } from './random-program.ts';
import { ReferenceHart } from './reference-hart.ts';

const STEPS_PER_RUN = 1_000_000;
const [SSTATUS, STVEC, SEPC, SCAUSE, STVAL] = [0x100, 0x105, 0x141, 0x142, 0x143];
const FLOAT_IS_ON = 0x6000n;

/** @returns the dumps */
export function runOnHart(program: RandomProgram, options: Partial<HartOptions> = {}): Uint8Array {
  const { base, memoryBytes, trapVector } = program;
  const codePagesMax = Math.ceil(program.image.length / 4096);
  const memory = new WebAssembly.Memory({ initial: memoryBytes / 65_536 });
  const ram = new Uint8Array(memory.buffer);
  ram.set(program.image);
  const hart = new Hart({
    memory,
    ramBase: base,
    ramBytes: memoryBytes,
    bus: { load: () => undefined, store: () => false },
    clock: () => 0,
    isSbiOutside: true,
    codePagesMax,
    ...options,
  });
  hart.pc = BigInt(base);
  hart.setCsr(SSTATUS, FLOAT_IS_ON);
  hart.setCsr(STVEC, BigInt(trapVector));
  for (;;) {
    const { reason } = hart.run(STEPS_PER_RUN);
    if (reason === 'sbi') break;
    if (reason !== 'budget') throw new Error(`the run ended: ${reason}`);
  }
  if (hart.pc === BigInt(trapVector + 4)) {
    const [cause, pc, value] = [SCAUSE, SEPC, STVAL].map((n) => hart.csr(n)!.toString(16));
    throw new Error(`trap ${cause} at ${pc}: ${value}`);
  }
  return dumpsOf(program, ram);
}

/** @returns the dumps */
export function runOnReference(program: RandomProgram): Uint8Array {
  const ram = new Uint8Array(program.memoryBytes);
  ram.set(program.image);
  new ReferenceHart(ram, program.base).run();
  return dumpsOf(program, ram);
}

/** Undefined where two machines agree; else the first difference with the code in front of it. */
export function difference(
  program: RandomProgram,
  ours: Uint8Array,
  theirs: Uint8Array,
  disassemble: (word: number) => string,
): string | undefined {
  if (ours.length !== theirs.length) return `${theirs.length} bytes of dumps, not ${ours.length}`;
  const [a, b] = [ours, theirs].map((bytes) => new BigUint64Array(bytes.slice().buffer));
  const at = a!.findIndex((value, i) => value !== b![i]);
  if (at < 0) return undefined;
  const words = DUMP_BYTES / 8;
  const dump = Math.floor(at / words);
  const hex = (values: BigUint64Array, index: number): string => (values[index] ?? 0n).toString(16);
  const state = NAMES.map((name, i) => {
    const index = dump * words + i;
    const mark = a![index] === b![index] ? '' : `   other ${hex(b!, index)}`;
    return `${name} ${hex(a!, index)}${mark}   before ${hex(a!, index - words)}`;
  });
  const code = program.blocks[dump % program.blocks.length]!.map(disassemble);
  return `dump ${dump}\n${code.join('\n')}\n${state.join('\n')}`;
}

const NAMES = [
  ...Array.from({ length: 32 }, (_, i) => `x${i}`),
  ...Array.from({ length: 32 }, (_, i) => `f${i}`),
  'fcsr',
  'memory',
];

function dumpsOf({ base, dump, dumpBytes }: RandomProgram, ram: Uint8Array): Uint8Array {
  return ram.slice(dump - base, dump - base + dumpBytes);
}

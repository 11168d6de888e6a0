import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32 } from '@polyvisor/wasm/types';

/** @see RFC 7693, section 2.6 and 2.7 */
// oxfmt-ignore
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
// oxfmt-ignore
const SIGMA = [
  [ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15],
  [14, 10,  4,  8,  9, 15, 13,  6,  1, 12,  0,  2, 11,  7,  5,  3],
  [11,  8, 12,  0,  5,  2, 15, 13, 10, 14,  3,  6,  7,  1,  9,  4],
  [ 7,  9,  3,  1, 13, 12, 11, 14,  2,  6,  5, 10,  4,  0, 15,  8],
  [ 9,  0,  5,  7,  2,  4, 10, 15, 14,  1, 11, 12,  6,  8,  3, 13],
  [ 2, 12,  6, 10,  0, 11,  8,  3,  4, 13,  7,  5, 15, 14,  1,  9],
  [12,  5,  1, 15, 14, 13,  4, 10,  0,  7,  6,  3,  9,  2,  8, 11],
  [13, 11,  7, 14, 12,  1,  3,  9,  5,  0, 15,  4,  8,  6,  2, 10],
  [ 6, 15, 14,  9, 11,  3,  0,  8, 12,  2, 13,  7,  1,  4, 10,  5],
  [10,  2,  8,  4,  7,  6,  1,  5, 15, 11,  9, 14,  3, 12, 13,  0],
] as const;
/** Words that each of the eight mixes of a round works on. */
// oxfmt-ignore
const MIXES = [
  [0, 4,  8, 12], [1, 5,  9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7,  8, 13], [3, 4,  9, 14],
] as const;

/** The kernel's memory: h 64 bytes, message 128, counter 16, schedule from 256 on (16 bytes a round). */
const MESSAGE = 64;
const COUNTER = 192;
const SCHEDULE = 256;
const FINAL_FLAG = 208;

let kernel: { bytes: Uint8Array; run: (rounds: number) => void } | undefined;

/** The compression function F of BLAKE2b over 213 bytes: rounds, h, m, t and the final flag. @see EIP-152 */
export function blake2f(input: Uint8Array): Uint8Array {
  kernel ??= instantiate();
  const rounds = new DataView(input.buffer, input.byteOffset).getUint32(0);
  kernel.bytes.set(input.subarray(4, 212), 0);
  kernel.bytes[FINAL_FLAG] = input[212]!;
  kernel.run(rounds | 0);
  return kernel.bytes.slice(0, 64);
}

function instantiate(): { bytes: Uint8Array; run: (rounds: number) => void } {
  const m = new ModuleWriter();
  m.exportMemory('memory', m.memory({ initial: 1 }));
  // Byte offsets of the message words, in the order in which the mixes take them.
  m.data(
    SCHEDULE,
    Uint8Array.from(SIGMA.flat(), (word) => MESSAGE + 8 * word),
  );
  m.exportFunction('run', emitCompression(m));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()));
  const memory = exports['memory'] as WebAssembly.Memory;
  return { bytes: new Uint8Array(memory.buffer), run: exports['run'] as (rounds: number) => void };
}

function emitCompression(m: ModuleWriter): number {
  const a = new Assembler(m.function([I32], [], 'blake2f'));
  const { i32, i64 } = a;
  const rounds = a.param(0);
  const at = a.localI32();
  const v = Array.from({ length: 16 }, () => a.localI64());
  v.forEach((word, i) => a.set(word, i < 8 ? a.load('i64.load', 0, 8 * i) : IV[i - 8]!));
  a.set(v[12]!, i64.xor(v[12]!, a.load('i64.load', 0, COUNTER)));
  a.set(v[13]!, i64.xor(v[13]!, a.load('i64.load', 0, COUNTER + 8)));
  a.when(a.load('i32.load8_u', 0, FINAL_FLAG), () => a.set(v[14]!, i64.xor(v[14]!, -1n)));
  const word = (index: number): Expression =>
    a.load('i64.load', a.load('i32.load8_u', at, SCHEDULE + index));
  const rotate = (target: Local, other: Local, bits: bigint): void =>
    void a.set(target, i64.rotl(i64.xor(target, other), 64n - bits));
  a.while(rounds, () => {
    MIXES.forEach((mix, i) => {
      const [p, q, r, s] = mix.map((index) => v[index]!) as [Local, Local, Local, Local];
      a.set(p, i64.add(i64.add(p, q), word(2 * i)));
      rotate(s, p, 32n);
      a.set(r, i64.add(r, s));
      rotate(q, r, 24n);
      a.set(p, i64.add(i64.add(p, q), word(2 * i + 1)));
      rotate(s, p, 16n);
      a.set(r, i64.add(r, s));
      rotate(q, r, 63n);
    });
    // The schedule repeats after ten rounds.
    a.set(at, i32.add(at, 16));
    a.set(at, a.select(i32.eq(at, 160), 0, at));
    a.set(rounds, i32.sub(rounds, 1));
  });
  for (let i = 0; i < 8; i++) {
    const mixed = i64.xor(a.load('i64.load', 0, 8 * i), i64.xor(v[i]!, v[i + 8]!));
    a.store('i64.store', 0, mixed, 8 * i);
  }
  return a.f.index;
}

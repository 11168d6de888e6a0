import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, I64 } from '@polyvisor/wasm/types';

/** Bytes absorbed a permutation: 1600 bits less twice the digest. @see FIPS 202, section 5.2; Keccak's own padding */
const RATE_BYTES = 136;

/** Rotation of lane x + 5y. @see FIPS 202, table 2 */
// oxfmt-ignore
const rotations = [
   0,  1, 62, 28, 27,
  36, 44,  6, 55, 20,
   3, 10, 43, 25, 39,
  41, 45, 15, 21,  8,
  18,  2, 61, 56, 14,
];

/** Where a module keeps the permutation's state (200 bytes) and constants (192 bytes). */
export interface KeccakLayout {
  readonly stateOffset: number;
  readonly constantsOffset: number;
}

/**
 * Adds Keccak-256 to a module with a memory: `permute()` on the state, and `hash(pointer, size) -> 4 limbs`, the
 * digest as a big-endian number, least significant limb first. The digest's bytes stay at the state's beginning.
 */
export function emitKeccak(
  m: ModuleWriter,
  layout: KeccakLayout,
): { readonly permute: number; readonly hash: number } {
  m.data(layout.constantsOffset, roundConstants());
  const permute = emitPermutation(m, layout);
  return { permute, hash: emitHash(m, layout, permute) };
}

/** All 25 lanes live in locals; a round's theta, rho and pi go from one set to the other, chi and iota back. */
function emitPermutation(m: ModuleWriter, layout: KeccakLayout): number {
  const a = new Assembler(m.function([], [], 'keccak-permute'));
  const { i32, i64 } = a;
  const lanes = Array.from({ length: 25 }, () => a.localI64());
  const moved = Array.from({ length: 25 }, () => a.localI64());
  const parity = Array.from({ length: 5 }, () => a.localI64());
  const mix = a.localI64();
  const round = a.localI32();
  const xor = (...values: Local[]): Expression =>
    values.reduce<Expression>((left, right) => (left === 0n ? right : i64.xor(left, right)), 0n);

  lanes.forEach((lane, i) => a.set(lane, a.load('i64.load', 0, layout.stateOffset + 8 * i)));
  a.repeat(
    () => {
      parity.forEach((column, x) =>
        a.set(column, xor(...[0, 5, 10, 15, 20].map((y) => lanes[x + y]!))),
      );
      for (let x = 0; x < 5; x++) {
        a.set(mix, i64.xor(parity[(x + 4) % 5]!, i64.rotl(parity[(x + 1) % 5]!, 1n)));
        for (let y = 0; y < 5; y++) {
          const from = x + 5 * y;
          const to = y + 5 * ((2 * x + 3 * y) % 5);
          const mixed = i64.xor(lanes[from]!, mix);
          a.set(moved[to]!, from === 0 ? mixed : i64.rotl(mixed, BigInt(rotations[from]!)));
        }
      }
      lanes.forEach((lane, i) => {
        const row = i - (i % 5);
        const next = moved[row + ((i + 1) % 5)]!;
        const afterNext = moved[row + ((i + 2) % 5)]!;
        a.set(lane, i64.xor(moved[i]!, i64.and(i64.xor(next, -1n), afterNext)));
      });
      a.set(lanes[0]!, i64.xor(lanes[0]!, a.load('i64.load', round, layout.constantsOffset)));
      a.set(round, i32.add(round, 8));
    },
    i32.ltU(round, 24 * 8),
  );
  lanes.forEach((lane, i) => a.store('i64.store', 0, lane, layout.stateOffset + 8 * i));
  return a.f.index;
}

function emitHash(m: ModuleWriter, layout: KeccakLayout, permute: number): number {
  const a = new Assembler(m.function([I32, I32], [I64, I64, I64, I64], 'keccak-hash'));
  const { i32, i64 } = a;
  const [bytes, size] = [a.param(0), a.param(1)];
  const at = a.localI32();
  const state = layout.stateOffset;
  const absorb = (offset: Expression, from: Expression, displacement: number): void => {
    const lane = i64.xor(
      a.load('i64.load', offset, state + displacement),
      a.load('i64.load', from, displacement),
    );
    a.store('i64.store', offset, lane, state + displacement);
  };
  for (let i = 0; i < 200; i += 8) a.store('i64.store', 0, 0n, state + i);
  a.while(i32.geU(size, RATE_BYTES), () => {
    for (let i = 0; i < RATE_BYTES; i += 8) absorb(0, bytes, i);
    a.run(permute);
    a.set(bytes, i32.add(bytes, RATE_BYTES));
    a.set(size, i32.sub(size, RATE_BYTES));
  });
  a.while(i32.geU(i32.sub(size, at), 8), () => {
    absorb(at, i32.add(bytes, at), 0);
    a.set(at, i32.add(at, 8));
  });
  const xorByte = (address: Expression, byte: Expression): void =>
    void a.store(
      'i32.store8',
      address,
      i32.xor(a.load('i32.load8_u', address, state), byte),
      state,
    );
  a.while(i32.ltU(at, size), () => {
    xorByte(at, a.load('i32.load8_u', i32.add(bytes, at)));
    a.set(at, i32.add(at, 1));
  });
  xorByte(at, 0x01);
  xorByte(RATE_BYTES - 1, 0x80);
  a.run(permute);
  a.return(...[24, 16, 8, 0].map((offset) => bigEndian(a, state + offset)));
  return a.f.index;
}

/** Eight bytes at a constant address as a big-endian number. */
function bigEndian(a: Assembler, address: number): Expression {
  return () => {
    const vector = a.localV128();
    a.put(0).f.v128Load64Splat(address);
    a.f.tee(vector.index).get(vector.index);
    a.f.i8x16Shuffle([7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0]).i64x2ExtractLane(0);
  };
}

/** The 24 round constants, from the linear feedback shift register of FIPS 202, section 3.2.5, algorithm 5. */
function roundConstants(): Uint8Array {
  const bytes = new Uint8Array(24 * 8);
  const view = new DataView(bytes.buffer);
  let register = 1;
  for (let round = 0; round < 24; round++) {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if (register & 1) constant |= 1n << BigInt(2 ** j - 1);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
    view.setBigUint64(8 * round, constant, true);
  }
  return bytes;
}

/** The stand-alone instance's memory: state and constants in front, the input behind. */
const INPUT = 1024;
const PAGE_BYTES = 65536;

interface KeccakInstance {
  readonly memory: WebAssembly.Memory;
  readonly hash: (pointer: number, size: number) => unknown;
  bytes: Uint8Array;
}

let instance: KeccakInstance | undefined;

/** Keccak-256, as Ethereum uses it. */
export function keccak256(data: Uint8Array): Uint8Array {
  return hash(data).slice(0, DIGEST_BYTES);
}

/** The digest as a string of 32 characters, each a byte: how tries hold it. */
export function keccak256Latin1(data: Uint8Array): string {
  return bytesToLatin1(hash(data).subarray(0, DIGEST_BYTES));
}

const DIGEST_BYTES = 32;

/** The instance's memory, which begins with the digest until the next call. */
function hash(data: Uint8Array): Uint8Array {
  instance ??= createInstance();
  const end = INPUT + data.length;
  if (end > instance.bytes.length) {
    instance.memory.grow(Math.ceil((end - instance.bytes.length) / PAGE_BYTES));
    instance.bytes = new Uint8Array(instance.memory.buffer);
  }
  instance.bytes.set(data, INPUT);
  instance.hash(INPUT, data.length);
  return instance.bytes;
}

function createInstance(): KeccakInstance {
  const m = new ModuleWriter();
  m.exportMemory('memory', m.memory({ initial: 1 }));
  const kernel = emitKeccak(m, { stateOffset: 0, constantsOffset: 256 });
  // A function without results: four i64 results would come back as BigInts.
  const run = new Assembler(m.function([I32, I32], [], 'hash'));
  run.put(run.call(kernel.hash, run.param(0), run.param(1)));
  for (let i = 0; i < 4; i++) run.f.drop();
  m.exportFunction('hash', run.f.index);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()));
  const memory = exports['memory'] as WebAssembly.Memory;
  return {
    memory,
    hash: exports['hash'] as KeccakInstance['hash'],
    bytes: new Uint8Array(memory.buffer),
  };
}

export const KECCAK_EMPTY: Uint8Array = Uint8Array.from(
  // prettier-ignore
  [0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0,
   0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70],
);

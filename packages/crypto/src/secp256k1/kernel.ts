import { assert } from '@polyvisor/errors/assert';
import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import {
  type CurveExports,
  DIGITS,
  GENERATOR_WIDTH,
  GENERATOR_X,
  GROUP_ORDER,
  MEMORY_BYTES,
  POINT_WIDTH,
  emitCurve,
  layout,
} from './curve.ts';

/**
 * Recovery of public keys: Q = (s R - z G) / r, where R has the x-coordinate r. Both scalars are split into halves of
 * 128 bits along the curve's endomorphism, and the four products are added up digit by digit together.
 * @see SEC 1, version 2.0, section 4.1.6; R. Gallant, R. Lambert and S. Vanstone, "Faster point multiplication on
 *   elliptic curves with efficient endomorphisms", 2001
 */

/** @returns 64 bytes, x and y; undefined where there is no such key. `r` and `s` are from 1 to the order - 1 */
export function recoverPoint(
  digest: bigint,
  r: bigint,
  s: bigint,
  yParity: 0 | 1,
): Uint8Array | undefined {
  const kernel = (instance ??= createInstance());
  const { view, exports } = kernel;
  writeWords(view, r);
  if (!exports.lift(yParity)) return undefined;
  exports.invertScalar();
  const inverse = readWords(view);
  writeDigits(kernel, 0, modulo(-digest * inverse), GENERATOR_WIDTH);
  writeDigits(kernel, 2, modulo(s * inverse), POINT_WIDTH);
  return exports.multiply() ? readPoint(kernel) : undefined;
}

/** k G: 64 bytes, x and y. `k` is from 1 to the order - 1; the time it takes depends on it. */
export function multiplyGenerator(k: bigint): Uint8Array {
  const kernel = (instance ??= createInstance());
  // The kernel adds a multiple of a second point: here none of the generator itself.
  writeWords(kernel.view, GENERATOR_X);
  kernel.exports.lift(0);
  writeDigits(kernel, 0, k, GENERATOR_WIDTH);
  writeDigits(kernel, 2, 0n, POINT_WIDTH);
  assert(kernel.exports.multiply(), 'only the order times the generator is no point');
  return readPoint(kernel);
}

/** 1 / k modulo the order. */
export function invertScalar(k: bigint): bigint {
  const { view, exports } = (instance ??= createInstance());
  writeWords(view, k);
  exports.invertScalar();
  return readWords(view);
}

interface Kernel {
  readonly exports: CurveExports;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

let instance: Kernel | undefined;

const PAGE_BYTES = 65536;

function createInstance(): Kernel {
  const m = new ModuleWriter();
  m.exportMemory('memory', m.memory({ initial: Math.ceil(MEMORY_BYTES / PAGE_BYTES) }));
  emitCurve(m);
  const made = new WebAssembly.Instance(new WebAssembly.Module(m.finish()));
  const { buffer } = made.exports['memory'] as WebAssembly.Memory;
  const exports = made.exports as unknown as CurveExports;
  const kernel = { exports, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
  writeWords(kernel.view, GENERATOR_X);
  // The generator's y is even.
  exports.lift(0);
  exports.setGenerator();
  return kernel;
}

function writeWords(view: DataView, value: bigint): void {
  for (let i = 0; i < 4; i++) {
    view.setBigUint64(layout.words + 8 * i, BigInt.asUintN(64, value >> BigInt(64 * i)), true);
  }
}

function readWords(view: DataView): bigint {
  let value = 0n;
  for (let i = 3; i >= 0; i--)
    value = (value << 64n) | view.getBigUint64(layout.words + 8 * i, true);
  return value;
}

function readPoint({ bytes }: Kernel): Uint8Array {
  const point = new Uint8Array(64);
  for (let i = 0; i < 32; i++) {
    point[31 - i] = bytes[layout.words + i]!;
    point[63 - i] = bytes[layout.secondWords + i]!;
  }
  return point;
}

function modulo(value: bigint): bigint {
  const rest = value % GROUP_ORDER;
  return rest < 0n ? rest + GROUP_ORDER : rest;
}

/** A short basis of the lattice of (a, b) with a + b * lambda = 0 modulo the order. @see GLV, section 4 */
const A1 = 0x3086d221a7d46bcde86c90e49284eb15n;
const B1 = -0xe4437ed6010e88286f547fa90abfe4c3n;
const A2 = 0x114ca50f7a8e2f3f657c1108d9d44cfd8n;
const B2 = A1;

/** Writes a scalar k as k1 + k2 * lambda, both below 2^128 in magnitude, each in digits. */
function writeDigits({ bytes }: Kernel, stream: 0 | 2, k: bigint, width: number): void {
  const c1 = (B2 * k + GROUP_ORDER / 2n) / GROUP_ORDER;
  const c2 = (-B1 * k + GROUP_ORDER / 2n) / GROUP_ORDER;
  const k1 = k - c1 * A1 - c2 * A2;
  const k2 = -c1 * B1 - c2 * B2;
  for (const [i, half] of [k1, k2].entries()) {
    const start = layout.digits + (stream + i) * DIGITS;
    signedDigits(half, width, bytes.subarray(start, start + DIGITS));
  }
}

/**
 * Non-adjacent form: digits are 0 or odd, between -2^(width-1) and 2^(width-1), and at least width - 1 zeros are
 * between two that are not 0.
 */
function signedDigits(value: bigint, width: number, out: Uint8Array): void {
  out.fill(0);
  const sign = value < 0n ? -1 : 1;
  let rest = value < 0n ? -value : value;
  for (let i = 0; i < 5; i++, rest >>= 32n) words[i] = Number(rest & 0xffff_ffffn);
  let carry = 0;
  for (let bit = 0; bit < DIGITS;) {
    if (bitsAt(bit, 1) === carry) {
      bit++;
      continue;
    }
    const count = Math.min(width, DIGITS - bit);
    let digit = bitsAt(bit, count) + carry;
    carry = (digit >> (width - 1)) & 1;
    digit -= carry << width;
    out[bit] = sign * digit;
    bit += count;
  }
}

/** 128 bits and zeros above. */
const words = new Uint32Array(6);

function bitsAt(bit: number, count: number): number {
  const word = bit >> 5;
  const shift = bit & 31;
  const low = words[word]! >>> shift;
  const high = shift + count > 32 ? words[word + 1]! << (32 - shift) : 0;
  return (low | high) & ((1 << count) - 1);
}

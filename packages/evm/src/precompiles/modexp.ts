import { bigIntToBytes, bytesToBigInt } from '@polyvisor/bytes/bytes';
import { modexp } from '@polyvisor/crypto/modexp';
import { type Hardfork, isAtLeast } from '../hardfork.ts';
import { slicePadded, wordAt } from './input.ts';

/** Longest operand since Osaka, in bytes. @see EIP-7823 */
const OPERAND_BYTES_MAX = 1024n;
/** No transaction can pay more; a price above is cut to it, so that no huge product is formed. */
const GAS_MAX = 2n ** 64n;

interface Sizes {
  readonly base: bigint;
  readonly exponent: bigint;
  readonly modulus: bigint;
}

function sizesOf(input: Uint8Array): Sizes {
  return { base: wordAt(input, 0), exponent: wordAt(input, 32), modulus: wordAt(input, 64) };
}

/** @see EIP-198 (Byzantium), EIP-2565 (Berlin), EIP-7883 (Osaka) */
export function modexpGas(input: Uint8Array, fork: Hardfork): bigint {
  const { base, exponent, modulus } = sizesOf(input);
  const length = base > modulus ? base : modulus;
  if (length > 2n ** 32n) return GAS_MAX;
  const head = exponentHead(input, base, exponent);
  const bits = head === 0n ? 0n : BigInt(head.toString(2).length - 1);
  const isOsaka = isAtLeast(fork, 'osaka');
  const tail = exponent > 32n ? (isOsaka ? 16n : 8n) * (exponent - 32n) : 0n;
  const iterations = tail + bits > 1n ? tail + bits : 1n;

  let gas: bigint;
  if (isOsaka) {
    const words = (length + 7n) / 8n;
    const complexity = length <= 32n ? 16n : 2n * words * words;
    gas = complexity * iterations;
    if (gas < 500n) gas = 500n;
  } else if (isAtLeast(fork, 'berlin')) {
    const words = (length + 7n) / 8n;
    gas = (words * words * iterations) / 3n;
    if (gas < 200n) gas = 200n;
  } else {
    gas = (byzantiumComplexity(length) * iterations) / 20n;
  }
  return gas > GAS_MAX ? GAS_MAX : gas;
}

/** @see EIP-198, mult_complexity */
function byzantiumComplexity(x: bigint): bigint {
  if (x <= 64n) return x * x;
  if (x <= 1024n) return (x * x) / 4n + 96n * x - 3072n;
  return (x * x) / 16n + 480n * x - 199_680n;
}

/** The first 32 bytes of the exponent, or all of a shorter one. */
function exponentHead(input: Uint8Array, base: bigint, exponent: bigint): bigint {
  const start = 96n + base;
  if (start >= BigInt(input.length)) return 0n;
  const size = exponent < 32n ? Number(exponent) : 32;
  return bytesToBigInt(slicePadded(input, Number(start), size));
}

export function runModexp(input: Uint8Array, fork: Hardfork): Uint8Array | undefined {
  const sizes = sizesOf(input);
  if (isAtLeast(fork, 'osaka')) {
    if (Object.values(sizes).some((size) => size > OPERAND_BYTES_MAX)) return undefined;
  }
  // The exponent's length can be anything where base and modulus are empty.
  if (sizes.base === 0n && sizes.modulus === 0n) return new Uint8Array(0);
  const [base, exponent, modulus] = [
    Number(sizes.base),
    Number(sizes.exponent),
    Number(sizes.modulus),
  ];
  const operand = (start: number, size: number): bigint =>
    // What lies past the input is zeros: a shift.
    bytesToBigInt(input.subarray(start, start + size)) <<
    BigInt(8 * Math.max(0, Math.min(size, start + size - Math.max(start, input.length))));
  const result = modexp(
    operand(96, base),
    operand(96 + base, exponent),
    operand(96 + base + exponent, modulus),
  );
  return bigIntToBytes(result, modulus);
}

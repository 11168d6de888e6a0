import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bigIntToBytes } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import {
  BLS_R,
  type BlsG1,
  type BlsG2,
  type Pair,
  blsG1,
  blsG1Affine,
  blsG1Msm,
  blsG2,
  blsG2Affine,
  blsG2Msm,
  blsIsInSubgroup,
  blsMapToG1,
  blsMapToG2,
  blsPairingIsOne,
} from './bls12-381.ts';
import {
  BN254_P,
  type Bn254G1,
  type Bn254G2,
  bn254Add,
  bn254Multiply,
  bn254PairingIsOne,
} from './bn254.ts';
import { verifyKzgProof } from './kzg.ts';
import { kzgVersionedHash } from './kzg-hash.ts';
import { numbersOf, vectors } from './testing/vectors.ts';

/** Order of the groups. See EIP-196. */
const N = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const G: Bn254G1 = [1n, 2n];
const MINUS_G: Bn254G1 = [1n, BN254_P - 2n];
const ZERO: Bn254G1 = [0n, 0n];
/** See EIP-197, "Definition of the groups". */
const G2: Bn254G2 = [
  [
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  ],
  [
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  ],
];
const ZERO_2: Bn254G2 = [
  [0n, 0n],
  [0n, 0n],
];

describe('bn254', () => {
  test('twice the generator', () => {
    // -(2G) closes the triangle: the tangent at (1, 2) has slope 3/4.
    const slope = 3n * inverse(4n);
    const x = mod(slope * slope - 2n);
    const expected: Bn254G1 = [x, mod(slope * (1n - x) - 2n)];
    expect(bn254Add(G, G)).toEqual(expected);
    expect(bn254Multiply(G, 2n)).toEqual(expected);
  });

  test('infinity is neutral, and what opposites and the order give', () => {
    expect(bn254Add(G, ZERO)).toEqual(G);
    expect(bn254Add(ZERO, ZERO)).toEqual(ZERO);
    expect(bn254Add(G, MINUS_G)).toEqual(ZERO);
    expect(bn254Multiply(G, 0n)).toEqual(ZERO);
    expect(bn254Multiply(G, N)).toEqual(ZERO);
    expect(bn254Multiply(G, N - 1n)).toEqual(MINUS_G);
    expect(bn254Multiply(G, 2n ** 256n - 1n)).toEqual(bn254Multiply(G, (2n ** 256n - 1n) % N));
    expect(bn254Multiply(ZERO, 5n)).toEqual(ZERO);
  });

  test('points off the curve, and coordinates beyond the field, are none', () => {
    for (const point of [
      [1n, 3n],
      [1n + BN254_P, 2n],
      [1n, 2n + BN254_P],
      [0n, BN254_P],
    ] as const) {
      expect(bn254Add(point, G)).toBe(undefined);
      expect(bn254Add(G, point)).toBe(undefined);
      expect(bn254Multiply(point, 1n)).toBe(undefined);
      expect(bn254PairingIsOne([[point, G2]])).toBe(undefined);
    }
  });

  test('a pairing is linear in both operands', () => {
    const [a, b] = [123_456_789n, 987_654_321n];
    const [aG, abG] = [bn254Multiply(G, a)!, bn254Multiply(MINUS_G, (a * b) % N)!];
    const bG = bn254Multiply(G, b)!;
    // e(aG, G2)^1 e(bG, G2) e(-(a + b)G, G2) = 1.
    expect(
      bn254PairingIsOne([
        [aG, G2],
        [bG, G2],
        [bn254Multiply(MINUS_G, a + b)!, G2],
      ]),
    ).toBe(true);
    expect(
      bn254PairingIsOne([
        [aG, G2],
        [abG, G2],
      ]),
    ).toBe(false);
    expect(bn254PairingIsOne([[G, G2]])).toBe(false);
  });

  test('no pairs, and pairs with infinity, give one', () => {
    expect(bn254PairingIsOne([])).toBe(true);
    expect(bn254PairingIsOne([[ZERO, G2]])).toBe(true);
    expect(bn254PairingIsOne([[G, ZERO_2]])).toBe(true);
  });

  test('a point of the twist outside of the group is refused', () => {
    const outside = twistPointOutsideOfTheGroup();
    expect(bn254PairingIsOne([[ZERO, outside]])).toBe(undefined);
    expect(bn254PairingIsOne([[G, [G2[0], [G2[1][0], G2[1][1] + 1n]]]])).toBe(undefined);
  });
});

describe('BLS12-381, vectors of EIP-2537', () => {
  const cases = (file: string) =>
    vectors.eip2537[file]!.map((vector) => [vector.name, vector] as const);

  test.each(cases('add_G1_bls'))('%s', (_, { input, expected }) => {
    const [a, b] = g1s(input) as [BlsG1, BlsG1];
    expect(blsG1Affine(a.add(b))).toEqual(numbersOf(expected, 64));
  });

  test.each(cases('add_G2_bls'))('%s', (_, { input, expected }) => {
    const [a, b] = g2s(input) as [BlsG2, BlsG2];
    expect(blsG2Affine(a.add(b)).flat()).toEqual(numbersOf(expected, 64));
  });

  test.each([...cases('mul_G1_bls'), ...cases('msm_G1_bls')])('%s', (_, { input, expected }) => {
    const terms = parts(input, 160);
    const sum = blsG1Msm(
      terms.map((term) => g1s(term.slice(0, 256))[0]!),
      terms.map((term) => BigInt(`0x${term.slice(256)}`)),
    );
    expect(blsG1Affine(sum)).toEqual(numbersOf(expected, 64));
  });

  test.each(cases('mul_G2_bls'))('%s', (_, { input, expected }) => {
    const sum = blsG2Msm(g2s(input.slice(0, 512)), [BigInt(`0x${input.slice(512)}`)]);
    expect(blsG2Affine(sum).flat()).toEqual(numbersOf(expected, 64));
  });

  test.each(cases('map_fp_to_G1_bls'))('%s', (_, { input, expected }) => {
    expect(blsG1Affine(blsMapToG1(BigInt(`0x${input}`)))).toEqual(numbersOf(expected, 64));
  });

  test.each(cases('map_fp2_to_G2_bls'))('%s', (_, { input, expected }) => {
    const [real, imaginary] = numbersOf(input, 64) as [bigint, bigint];
    expect(blsG2Affine(blsMapToG2([real, imaginary])).flat()).toEqual(numbersOf(expected, 64));
  });

  test.each(cases('pairing_check_bls'))('%s', (_, { input, expected }) => {
    const pairs = parts(input, 384).map(
      (pair) => [g1s(pair.slice(0, 256))[0]!, g2s(pair.slice(256))[0]!] as const,
    );
    expect(blsPairingIsOne(pairs)).toBe(BigInt(`0x${expected}`) === 1n);
  });

  test.each(cases('fail'))('%s', (_, { input }) => {
    const p = g1s(input.slice(0, 256))[0];
    const q = g2s(input.slice(256))[0];
    expect(p && q && blsIsInSubgroup(p) && blsIsInSubgroup(q)).toBeFalsy();
  });
});

test.each([3, 4, 5, 20])('a sum of %i multiples is that of single ones', (count) => {
  const { BASE, ZERO: zero } = bls12_381.G1.Point;
  const scalars = Array.from({ length: count }, (_, i) => (BLS_R - 1n) / BigInt(i + 1));
  const points = scalars.map((_, i) => BASE.multiply(BigInt(i + 2)));
  const expected = points.reduce((sum, p, i) => sum.add(p.multiplyUnsafe(scalars[i]!)), zero);
  // Zero scalars, points at infinity, and scalars beyond the order change nothing.
  const sum = blsG1Msm(
    [...points, BASE, zero, BASE],
    [...scalars.map((scalar) => scalar + BLS_R), 0n, 5n, BLS_R],
  );
  expect(sum.equals(expected)).toBe(true);
});

describe('KZG', () => {
  const { BASE, ZERO: zero } = bls12_381.G1.Point;
  const word = (value: bigint): Uint8Array => bigIntToBytes(value, 32);
  /** [tau]G1: g1_monomial[1] of the ceremony's file. */
  const TAU = hexToBytes(
    'ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81',
  );

  test('a constant polynomial has its value everywhere, and no quotient', () => {
    const [commitment, proof] = [BASE.multiply(9n).toBytes(), zero.toBytes()];
    expect(verifyKzgProof(commitment, word(0n), word(9n), proof)).toBe(true);
    expect(verifyKzgProof(commitment, word(12345n), word(9n), proof)).toBe(true);
    expect(verifyKzgProof(commitment, word(12345n), word(8n), proof)).toBe(false);
    expect(verifyKzgProof(zero.toBytes(), word(1n), word(0n), proof)).toBe(true);
  });

  test('the polynomial x has the value z at z, and the quotient one', () => {
    for (const z of [0n, 1n, 77n, BLS_R - 1n]) {
      expect(verifyKzgProof(TAU, word(z), word(z), BASE.toBytes())).toBe(true);
      expect(verifyKzgProof(TAU, word(z), word((z + 1n) % BLS_R), BASE.toBytes())).toBe(false);
    }
  });

  test('numbers beyond the field and bytes that are no point prove nothing', () => {
    const proof = BASE.toBytes();
    expect(verifyKzgProof(TAU, word(BLS_R), word(0n), proof)).toBe(false);
    expect(verifyKzgProof(TAU, word(0n), word(BLS_R), proof)).toBe(false);
    expect(verifyKzgProof(new Uint8Array(48), word(0n), word(0n), proof)).toBe(false);
    expect(verifyKzgProof(TAU, word(0n), word(0n), proof.slice(0, 47))).toBe(false);
  });

  test('the versioned hash begins with 1', () => {
    const hash = kzgVersionedHash(TAU);
    expect([hash.length, hash[0]]).toEqual([32, 1]);
  });
});

function g1s(hex: string): (BlsG1 | undefined)[] {
  return parts(hex, 128).map((part) => {
    const [x, y] = numbersOf(part, 64) as [bigint, bigint];
    return blsG1(x, y);
  });
}

function g2s(hex: string): BlsG2[] {
  return parts(hex, 256).map((part) => {
    const [x0, x1, y0, y1] = numbersOf(part, 64) as [bigint, bigint, bigint, bigint];
    const [x, y]: [Pair, Pair] = [
      [x0, x1],
      [y0, y1],
    ];
    return blsG2(x, y) as BlsG2;
  });
}

/** Hexadecimal in pieces of so many bytes. */
function parts(hex: string, size: number): string[] {
  return Array.from({ length: hex.length / (2 * size) }, (_, i) =>
    hex.slice(2 * size * i, 2 * size * (i + 1)),
  );
}

function mod(value: bigint): bigint {
  return ((value % BN254_P) + BN254_P) % BN254_P;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function inverse(value: bigint): bigint {
  return power(value, BN254_P - 2n);
}

/** A solution of y^2 = x^3 + 3 / (9 + i) for a small x: the group is about one p-th of all. */
function twistPointOutsideOfTheGroup(): Bn254G2 {
  // 3 / (9 + i) = 3 (9 - i) / 82
  const b: Bn254G2[0] = [mod(27n * inverse(82n)), mod(-3n * inverse(82n))];
  for (let x = 1n; ; x++) {
    const y = squareRoot([mod(x ** 3n + b[0]), b[1]]);
    if (y) return [[x, 0n], y];
  }
}

/** In the field with i^2 = -1, by the norm; undefined for a non-residue. */
function squareRoot([real, imaginary]: Bn254G2[0]): Bn254G2[0] | undefined {
  const root = (value: bigint): bigint | undefined => {
    // p is 3 modulo 4.
    const candidate = power(value, (BN254_P + 1n) / 4n);
    return mod(candidate * candidate) === mod(value) ? candidate : undefined;
  };
  const norm = root(real * real + imaginary * imaginary);
  if (norm === undefined) return undefined;
  for (const sign of [norm, -norm]) {
    const first = root((real + sign) * inverse(2n));
    if (first !== undefined && first !== 0n) return [first, mod(imaginary * inverse(2n * first))];
  }
  return undefined;
}

import { bigIntToBytes, bytesToBigInt, concatBytes } from '@polyvisor/bytes/bytes';
import {
  BLS_P,
  type BlsG1,
  type BlsG2,
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
} from '@polyvisor/crypto/bls12-381';
import { boolWord } from './input.ts';

/** The contracts of EIP-2537. A field element has 64 bytes, the first 16 zero; (0, 0) is infinity. */
const FIELD = 64;
const G1 = 2 * FIELD;
const G2 = 4 * FIELD;
const SCALAR = 32;

/**
 * Price of one multiplication, and what k of them cost in thousandths of k times that.
 * @see EIP-2537, "Gas schedule"
 */
const G1_MULTIPLICATION = 12000;
const G2_MULTIPLICATION = 22500;
// oxfmt-ignore
const g1Discounts = [
  1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677,
   673, 669, 665, 661, 658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627,
   625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601, 599, 598,
   596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576,
   575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559,
   558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544,
   543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531,
   530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
];
// oxfmt-ignore
const g2Discounts = [
  1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717,
   711,  704, 699, 693, 688, 683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646,
   643,  640, 637, 634, 632, 629, 627, 624, 622, 620, 618, 615, 613, 611, 609, 607,
   606,  604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583, 582,
   580,  579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562,
   561,  560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548, 547,
   546,  545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535,
   534,  533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
];

export function g1MsmGas(input: Uint8Array): bigint {
  return msmGas(input.length, G1 + SCALAR, G1_MULTIPLICATION, g1Discounts);
}

export function g2MsmGas(input: Uint8Array): bigint {
  return msmGas(input.length, G2 + SCALAR, G2_MULTIPLICATION, g2Discounts);
}

function msmGas(size: number, itemSize: number, price: number, discounts: number[]): bigint {
  const count = Math.floor(size / itemSize);
  if (count === 0) return 0n;
  const discount = discounts[Math.min(count, discounts.length) - 1]!;
  return BigInt(Math.floor((count * price * discount) / 1000));
}

export function g1Add(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== 2 * G1) return undefined;
  const [a, b] = [g1At(input, 0), g1At(input, G1)];
  return a && b && g1Bytes(a.add(b));
}

export function g2Add(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== 2 * G2) return undefined;
  const [a, b] = [g2At(input, 0), g2At(input, G2)];
  return a && b && g2Bytes(a.add(b));
}

export function g1Msm(input: Uint8Array): Uint8Array | undefined {
  const terms = termsOf(input, G1, g1At);
  return terms && g1Bytes(blsG1Msm(terms.points, terms.scalars));
}

export function g2Msm(input: Uint8Array): Uint8Array | undefined {
  const terms = termsOf(input, G2, g2At);
  return terms && g2Bytes(blsG2Msm(terms.points, terms.scalars));
}

function termsOf<T extends BlsG1 | BlsG2>(
  input: Uint8Array,
  pointSize: number,
  pointAt: (input: Uint8Array, at: number) => T | undefined,
): { points: T[]; scalars: bigint[] } | undefined {
  const itemSize = pointSize + SCALAR;
  if (input.length === 0 || input.length % itemSize !== 0) return undefined;
  const points: T[] = [];
  const scalars: bigint[] = [];
  for (let at = 0; at < input.length; at += itemSize) {
    const point = pointAt(input, at);
    if (!point || !blsIsInSubgroup(point)) return undefined;
    points.push(point);
    scalars.push(bytesToBigInt(input.subarray(at + pointSize, at + itemSize)));
  }
  return { points, scalars };
}

export function pairing(input: Uint8Array): Uint8Array | undefined {
  if (input.length === 0 || input.length % (G1 + G2) !== 0) return undefined;
  const pairs: (readonly [BlsG1, BlsG2])[] = [];
  for (let at = 0; at < input.length; at += G1 + G2) {
    const [a, b] = [g1At(input, at), g2At(input, at + G1)];
    if (!a || !b || !blsIsInSubgroup(a) || !blsIsInSubgroup(b)) return undefined;
    pairs.push([a, b]);
  }
  return boolWord(blsPairingIsOne(pairs));
}

export function mapToG1(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== FIELD) return undefined;
  const u = fieldAt(input, 0);
  return u === undefined ? undefined : g1Bytes(blsMapToG1(u));
}

export function mapToG2(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== 2 * FIELD) return undefined;
  const [re, im] = [fieldAt(input, 0), fieldAt(input, FIELD)];
  return re === undefined || im === undefined ? undefined : g2Bytes(blsMapToG2([re, im]));
}

function fieldAt(input: Uint8Array, at: number): bigint | undefined {
  const value = bytesToBigInt(input.subarray(at, at + FIELD));
  return value < BLS_P ? value : undefined;
}

function g1At(input: Uint8Array, at: number): BlsG1 | undefined {
  const [x, y] = [fieldAt(input, at), fieldAt(input, at + FIELD)];
  return x === undefined || y === undefined ? undefined : blsG1(x, y);
}

function g2At(input: Uint8Array, at: number): BlsG2 | undefined {
  const c = [0, 1, 2, 3].map((i) => fieldAt(input, at + FIELD * i));
  if (c.some((part) => part === undefined)) return undefined;
  const [xr, xi, yr, yi] = c as [bigint, bigint, bigint, bigint];
  return blsG2([xr, xi], [yr, yi]);
}

function g1Bytes(point: BlsG1): Uint8Array {
  return concatBytes(...blsG1Affine(point).map((c) => bigIntToBytes(c, FIELD)));
}

function g2Bytes(point: BlsG2): Uint8Array {
  return concatBytes(
    ...blsG2Affine(point)
      .flat()
      .map((c) => bigIntToBytes(c, FIELD)),
  );
}

import { pippenger } from '@noble/curves/abstract/curve.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';

/** Modulus of the base field and order of the groups. @see EIP-2537 */
export const BLS_P = BigInt(
  '0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f624' +
    '1eabfffeb153ffffb9feffffffffaaab',
);
export const BLS_R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

const { G1, G2 } = bls12_381;
const { Fp, Fp2, Fp12 } = bls12_381.fields;

export type BlsG1 = InstanceType<typeof G1.Point>;
export type BlsG2 = InstanceType<typeof G2.Point>;
/** [real, imaginary] */
export type Pair = readonly [bigint, bigint];

/** The point of affine coordinates; (0, 0) is infinity; undefined off the curve. The subgroup is not checked. */
export function blsG1(x: bigint, y: bigint): BlsG1 | undefined {
  if (x === 0n && y === 0n) return G1.Point.ZERO;
  if (!Fp.eql(Fp.sqr(y), Fp.add(Fp.mul(Fp.sqr(x), x), 4n))) return undefined;
  return G1.Point.fromAffine({ x, y });
}

export function blsG2(x: Pair, y: Pair): BlsG2 | undefined {
  if ([...x, ...y].every((c) => c === 0n)) return G2.Point.ZERO;
  const [px, py] = [Fp2.fromBigTuple([...x]), Fp2.fromBigTuple([...y])];
  // y^2 = x^3 + 4 (1 + i)
  const right = Fp2.add(Fp2.mul(Fp2.sqr(px), px), Fp2.fromBigTuple([4n, 4n]));
  if (!Fp2.eql(Fp2.sqr(py), right)) return undefined;
  return G2.Point.fromAffine({ x: px, y: py });
}

export function blsIsInSubgroup(point: BlsG1 | BlsG2): boolean {
  return point.is0() || point.isTorsionFree();
}

/** Coordinates; (0, 0) for infinity. */
export function blsG1Affine(point: BlsG1): Pair {
  if (point.is0()) return [0n, 0n];
  const { x, y } = point.toAffine();
  return [x, y];
}

export function blsG2Affine(point: BlsG2): readonly [Pair, Pair] {
  if (point.is0()) return [[0n, 0n], [0n, 0n]]; // prettier-ignore
  const { x, y } = point.toAffine();
  return [
    [x.c0, x.c1],
    [y.c0, y.c1],
  ];
}

/** Sum of scalar multiples; points are in the subgroup, scalars any 256-bit numbers. */
export function blsG1Msm(points: readonly BlsG1[], scalars: readonly bigint[]): BlsG1 {
  return msm(G1.Point, points, scalars) as BlsG1;
}

export function blsG2Msm(points: readonly BlsG2[], scalars: readonly bigint[]): BlsG2 {
  return msm(G2.Point, points, scalars) as BlsG2;
}

/** Below this many points plain double-and-add is faster than buckets. */
const BUCKETS_FROM = 4;

function msm(
  group: typeof G1.Point | typeof G2.Point,
  points: readonly (BlsG1 | BlsG2)[],
  scalars: readonly bigint[],
): BlsG1 | BlsG2 {
  const terms = points
    .map((point, i) => ({ point, scalar: scalars[i]! % BLS_R }))
    .filter(({ point, scalar }) => scalar !== 0n && !point.is0());
  if (terms.length < BUCKETS_FROM) {
    return terms.reduce<BlsG1 | BlsG2>(
      (sum, { point, scalar }) => sum.add(point.multiplyUnsafe(scalar) as never),
      group.ZERO,
    );
  }
  return pippenger(
    group as never,
    terms.map(({ point }) => point) as never,
    terms.map(({ scalar }) => scalar),
  ) as BlsG1 | BlsG2;
}

export function blsPairingIsOne(pairs: readonly (readonly [BlsG1, BlsG2])[]): boolean {
  const points = pairs.filter(([g1, g2]) => !g1.is0() && !g2.is0()).map(([g1, g2]) => ({ g1, g2 }));
  if (points.length === 0) return true;
  return Fp12.eql(bls12_381.pairingBatch(points), Fp12.ONE);
}

/** Maps a field element to the subgroup. @see RFC 9380, sections 6.6.3 and 7; EIP-2537 */
export function blsMapToG1(u: bigint): BlsG1 {
  // The library's declared types say otherwise, but it takes a bigint and gives a point.
  return G1.mapToCurve(u as never) as unknown as BlsG1;
}

export function blsMapToG2(u: Pair): BlsG2 {
  return G2.mapToCurve([...u]) as unknown as BlsG2;
}

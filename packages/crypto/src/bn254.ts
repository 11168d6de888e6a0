import { bn254 } from '@noble/curves/bn254.js';

/** Modulus of the base field. @see EIP-196 */
export const BN254_P =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const BN254_N = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

const { G1, G2 } = bn254;
const { Fp2, Fp12 } = bn254.fields;

/** A point with affine coordinates; (0, 0) is infinity. */
export type Bn254G1 = readonly [x: bigint, y: bigint];
/** Coordinates in Fp2 as [real, imaginary]. */
export type Bn254G2 = readonly [x: readonly [bigint, bigint], y: readonly [bigint, bigint]];

type G1Point = InstanceType<typeof G1.Point>;
type G2Point = InstanceType<typeof G2.Point>;

/** Undefined where an operand is no point of the curve. */
export function bn254Add(a: Bn254G1, b: Bn254G1): Bn254G1 | undefined {
  const [p, q] = [readG1(a), readG1(b)];
  return p && q && writeG1(p.add(q));
}

export function bn254Multiply(a: Bn254G1, scalar: bigint): Bn254G1 | undefined {
  const p = readG1(a);
  if (!p) return undefined;
  const factor = scalar % BN254_N;
  return writeG1(factor === 0n ? G1.Point.ZERO : p.multiplyUnsafe(factor));
}

/** Whether the product of pairings is one; undefined where an operand is no point of its group. @see EIP-197 */
export function bn254PairingIsOne(
  pairs: readonly (readonly [Bn254G1, Bn254G2])[],
): boolean | undefined {
  const points: { g1: G1Point; g2: G2Point }[] = [];
  for (const [a, b] of pairs) {
    const [g1, g2] = [readG1(a), readG2(b)];
    if (!g1 || !g2) return undefined;
    // A pairing with infinity is one.
    if (!g1.is0() && !g2.is0()) points.push({ g1, g2 });
  }
  if (points.length === 0) return true;
  return Fp12.eql(bn254.pairingBatch(points), Fp12.ONE);
}

function readG1([x, y]: Bn254G1): G1Point | undefined {
  if (x >= BN254_P || y >= BN254_P) return undefined;
  if (x === 0n && y === 0n) return G1.Point.ZERO;
  if ((y * y - x * x * x - 3n) % BN254_P !== 0n) return undefined;
  return G1.Point.fromAffine({ x, y });
}

function readG2([x, y]: Bn254G2): G2Point | undefined {
  if ([...x, ...y].some((c) => c >= BN254_P)) return undefined;
  if ([...x, ...y].every((c) => c === 0n)) return G2.Point.ZERO;
  const field = (c: readonly [bigint, bigint]): ReturnType<typeof Fp2.fromBigTuple> =>
    Fp2.fromBigTuple([c[0], c[1]]);
  try {
    const point = G2.Point.fromAffine({ x: field(x), y: field(y) });
    point.assertValidity();
    // In the subgroup of order n: the curve over Fp2 has a cofactor.
    return point.multiplyUnsafe(BN254_N - 1n).equals(point.negate()) ? point : undefined;
  } catch {
    return undefined;
  }
}

function writeG1(point: G1Point): Bn254G1 {
  if (point.is0()) return [0n, 0n];
  const { x, y } = point.toAffine();
  return [x, y];
}

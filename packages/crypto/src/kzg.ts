import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import { BLS_R } from './bls12-381.ts';

const { G1, G2 } = bls12_381;
const { Fp12 } = bls12_381.fields;

/**
 * [tau]G2 of the mainnet ceremony: g2_monomial[1].
 * @see consensus-specs, presets/mainnet/trusted_setups/trusted_setup_4096.json
 */
const TAU_G2 =
  '0xb5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72' +
  '185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2';

let tau: InstanceType<typeof G2.Point> | undefined;

/**
 * Whether the committed polynomial takes the value y at z: e(C - [y]G1, -G2) e(proof, [tau]G2 - [z]G2) = 1.
 * z and y are 32 bytes, commitment and proof 48. False also where one of them is malformed.
 * @see EIP-4844; consensus-specs, specs/deneb/polynomial-commitments.md, verify_kzg_proof
 */
export function verifyKzgProof(
  commitment: Uint8Array,
  z: Uint8Array,
  y: Uint8Array,
  proof: Uint8Array,
): boolean {
  const [point, value] = [bytesToBigInt(z), bytesToBigInt(y)];
  if (point >= BLS_R || value >= BLS_R) return false;
  try {
    const [c, p] = [readG1(commitment), readG1(proof)];
    tau ??= G2.Point.fromBytes(hexToBytes(TAU_G2));
    const left = value === 0n ? c : c.subtract(G1.Point.BASE.multiplyUnsafe(value));
    const right = point === 0n ? tau : tau.subtract(G2.Point.BASE.multiplyUnsafe(point));
    const pairs = [
      { g1: left, g2: G2.Point.BASE.negate() },
      { g1: p, g2: right },
    ].filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
    return pairs.length === 0 || Fp12.eql(bls12_381.pairingBatch(pairs), Fp12.ONE);
  } catch {
    // Encodings that are no point of the group.
    return false;
  }
}

function readG1(bytes: Uint8Array): InstanceType<typeof G1.Point> {
  const point = G1.Point.fromBytes(bytes);
  if (!point.is0()) point.assertValidity();
  return point;
}

import { bigIntToBytes, concatBytes, equalBytes, padLeft } from '@polyvisor/bytes/bytes';
import {
  type Bn254G1,
  type Bn254G2,
  bn254Add,
  bn254Multiply,
  bn254PairingIsOne,
} from '@polyvisor/crypto/bn254';
import { BLS_R } from '@polyvisor/crypto/bls12-381';
import { verifyKzgProof } from '@polyvisor/crypto/kzg';
import { kzgVersionedHash } from '@polyvisor/crypto/kzg-hash';
import { verifyP256 } from '@polyvisor/crypto/p256';
import { recoverAddress } from '@polyvisor/crypto/secp256k1';
import { boolWord, slicePadded, wordAt } from './input.ts';

const NOTHING = new Uint8Array(0);

/** Digest, v (27 or 28), r, s; nothing comes back where nobody signed. @see Yellow Paper, appendix E.1 */
export function ecrecover(input: Uint8Array): Uint8Array {
  const v = wordAt(input, 32);
  if (v !== 27n && v !== 28n) return NOTHING;
  const digest = slicePadded(input, 0, 32);
  const address = recoverAddress(digest, wordAt(input, 64), wordAt(input, 96), v === 28n ? 1 : 0);
  return address ? padLeft(address, 32) : NOTHING;
}

/** @see EIP-196 */
export function bn254AddRun(input: Uint8Array): Uint8Array | undefined {
  return pointBytes(bn254Add(g1At(input, 0), g1At(input, 64)));
}

export function bn254MultiplyRun(input: Uint8Array): Uint8Array | undefined {
  return pointBytes(bn254Multiply(g1At(input, 0), wordAt(input, 64)));
}

/** @see EIP-197: G2 coordinates come imaginary part first */
export function bn254PairingRun(input: Uint8Array): Uint8Array | undefined {
  if (input.length % 192 !== 0) return undefined;
  const pairs: (readonly [Bn254G1, Bn254G2])[] = [];
  for (let at = 0; at < input.length; at += 192) {
    const word = (index: number): bigint => wordAt(input, at + 64 + 32 * index);
    pairs.push([
      g1At(input, at),
      [
        [word(1), word(0)],
        [word(3), word(2)],
      ],
    ]);
  }
  const isOne = bn254PairingIsOne(pairs);
  return isOne === undefined ? undefined : boolWord(isOne);
}

function g1At(input: Uint8Array, at: number): Bn254G1 {
  return [wordAt(input, at), wordAt(input, at + 32)];
}

function pointBytes(point: Bn254G1 | undefined): Uint8Array | undefined {
  return point && concatBytes(bigIntToBytes(point[0], 32), bigIntToBytes(point[1], 32));
}

/** Versioned hash, z, y, commitment, proof. @see EIP-4844, "Point evaluation precompile" */
export function kzgRun(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== 192) return undefined;
  const commitment = input.subarray(96, 144);
  if (!equalBytes(kzgVersionedHash(commitment), input.subarray(0, 32))) return undefined;
  const isProven = verifyKzgProof(
    commitment,
    input.subarray(32, 64),
    input.subarray(64, 96),
    input.subarray(144, 192),
  );
  return isProven ? concatBytes(bigIntToBytes(4096n, 32), bigIntToBytes(BLS_R, 32)) : undefined;
}

/** Digest, r, s, x, y; nothing comes back for what is not a valid signature. @see EIP-7951 */
export function p256Run(input: Uint8Array): Uint8Array {
  if (input.length !== 160) return NOTHING;
  const word = (index: number): bigint => wordAt(input, 32 * index);
  const isValid = verifyP256(input.subarray(0, 32), word(1), word(2), word(3), word(4));
  return isValid ? boolWord(true) : NOTHING;
}

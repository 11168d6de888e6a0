import { padLeft } from '@polyvisor/bytes/bytes';
import { blake2f } from '@polyvisor/crypto/blake2f';
import { ripemd160, sha256 } from '@polyvisor/crypto/hashes';

/** @see Yellow Paper, appendix E */
export function runSha256(input: Uint8Array): Uint8Array {
  return sha256(input);
}

export function runRipemd160(input: Uint8Array): Uint8Array {
  return padLeft(ripemd160(input), 32);
}

/** One gas a round. @see EIP-152 */
export function blake2fGas(input: Uint8Array): bigint {
  if (!isBlake2fInput(input)) return 0n;
  return BigInt(new DataView(input.buffer, input.byteOffset).getUint32(0));
}

export function runBlake2f(input: Uint8Array): Uint8Array | undefined {
  return isBlake2fInput(input) ? blake2f(input) : undefined;
}

function isBlake2fInput(input: Uint8Array): boolean {
  return input.length === 213 && input[212]! <= 1;
}

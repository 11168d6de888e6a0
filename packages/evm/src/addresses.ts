import { bigIntToBytes, concatBytes } from '@polyvisor/bytes/bytes';
import { encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';

/** Where a transaction or CREATE puts a contract. @see Yellow Paper, section 7, equation 89 */
export function createAddress(sender: Uint8Array, nonce: bigint): Uint8Array {
  return keccak256(encodeRlp([sender, rlpInteger(nonce)])).slice(12);
}

/** @see EIP-1014 */
export function create2Address(
  sender: Uint8Array,
  salt: Uint8Array,
  initcode: Uint8Array,
): Uint8Array {
  const preimage = concatBytes(bigIntToBytes(0xffn, 1), sender, salt, keccak256(initcode));
  return keccak256(preimage).slice(12);
}

/** Whether code is a delegation designator: 0xef0100 and an address. @see EIP-7702 */
export function isDelegation(code: Uint8Array): boolean {
  return code.length === 23 && code[0] === 0xef && code[1] === 0x01 && code[2] === 0x00;
}

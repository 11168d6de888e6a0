import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { keccak256 } from '@polyvisor/crypto/keccak';

/** An address as hex, its checksum in capital letters. @see EIP-55 */
export function checksumAddress(bytes: Uint8Array): string {
  const digits = bytesToHex(bytes).slice(2);
  const hash = bytesToHex(keccak256(utf8ToBytes(digits))).slice(2);
  const cased = Array.from(digits, (digit, i) => (hash[i]! >= '8' ? digit.toUpperCase() : digit));
  return `0x${cased.join('')}`;
}

import { bytesToBigInt, concatBytes, equalBytes } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import { sha256 } from '@polyvisor/crypto/hashes';
import type { Log } from '@polyvisor/evm/world';

/** The consensus layer's deposit contract. @see EIP-6110 */
export const DEPOSIT_CONTRACT: Uint8Array = hexToBytes(
  '0x00000000219ab540356cbb839cbe05303d7705fa',
);
const DEPOSIT_EVENT = hexToBytes(
  '0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5',
);
const DEPOSIT_EVENT_SIZE = 576;

/**
 * Where the five fields of the event lie: word of its offset, the offset's value, and the field's size.
 * @see EIP-6110
 */
const depositFields = [
  { offset: 160, size: 48 },
  { offset: 256, size: 32 },
  { offset: 320, size: 8 },
  { offset: 384, size: 96 },
  { offset: 512, size: 8 },
] as const;

/** The deposits that logs announce, joined; undefined when one is malformed, which no block may hold. */
export function depositsOf(logs: readonly Log[]): Uint8Array | undefined {
  const deposits: Uint8Array[] = [];
  for (const log of logs) {
    const isDeposit =
      equalBytes(log.address, DEPOSIT_CONTRACT) &&
      log.topics[0] !== undefined &&
      equalBytes(log.topics[0], DEPOSIT_EVENT);
    if (!isDeposit) continue;
    const deposit = depositOf(log.data);
    if (!deposit) return undefined;
    deposits.push(deposit);
  }
  return concatBytes(...deposits);
}

/** Commitment to a block's requests: those of each type in order, empty ones left out. @see EIP-7685 */
export function requestsHash(requests: readonly { type: number; data: Uint8Array }[]): Uint8Array {
  const hashes = requests
    .filter((request) => request.data.length > 0)
    .map((request) => sha256(concatBytes(Uint8Array.of(request.type), request.data)));
  return sha256(concatBytes(...hashes));
}

function depositOf(data: Uint8Array): Uint8Array | undefined {
  if (data.length !== DEPOSIT_EVENT_SIZE) return undefined;
  const word = (at: number): bigint => bytesToBigInt(data.subarray(at, at + 32));
  const isWellFormed = depositFields.every(
    ({ offset, size }, i) => word(32 * i) === BigInt(offset) && word(offset) === BigInt(size),
  );
  if (!isWellFormed) return undefined;
  return concatBytes(
    ...depositFields.map(({ offset, size }) => data.slice(offset + 32, offset + 32 + size)),
  );
}

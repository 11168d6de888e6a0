import { bigIntToBytes, bytesToBigInt } from '@polyvisor/bytes/bytes';
import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { keccak256 } from '@polyvisor/crypto/keccak';
import type { BlockEnvironment } from '@polyvisor/evm/world';
import type { Overlay } from './overlay.ts';
import { type Predeploy, predeploys } from './predeploys.ts';

/**
 * Does what a block's call of a system contract does, without running it: each block makes four such calls, which
 * otherwise cost more than a transaction. Only for the code that the fork brought, whose effects the EIPs spell out.
 * @returns false where the code has to run
 */
export function callNatively(
  name: Predeploy['name'],
  overlay: Overlay,
  block: BlockEnvironment,
  data: Uint8Array,
): boolean {
  const { address, codeHash } = known.get(name)!;
  const account = overlay.account(address);
  if (!account || bytesToLatin1(account.codeHash) !== codeHash) return false;
  const set = (slot: bigint, value: bigint): void =>
    overlay.setStorage(address, bigIntToBytes(slot, 32), value);
  switch (name) {
    case 'beaconRoots': {
      const slot = block.timestamp % RING_SIZE;
      set(slot, block.timestamp);
      set(slot + RING_SIZE, bytesToBigInt(data));
      return true;
    }
    case 'blockHashes':
      set((block.number - 1n) % RING_SIZE, bytesToBigInt(data));
      return true;
    case 'withdrawalRequests':
    case 'consolidationRequests':
      // Nothing to say and nothing to count down: all four slots are zero, and stay so.
      return queueSlots.every((slot) => overlay.storage(address, slot).every((byte) => byte === 0));
  }
}

/** Entries that the contracts of roots and hashes keep. @see EIP-4788, EIP-2935: HISTORY_BUFFER_LENGTH */
const RING_SIZE = 8191n;

/** Where the request contracts have excess, count, head and tail. @see EIP-7002, EIP-7251 */
const queueSlots = [0n, 1n, 2n, 3n].map((slot) => bigIntToBytes(slot, 32));

const known: ReadonlyMap<Predeploy['name'], { address: Uint8Array; codeHash: string }> = new Map(
  predeploys.map(({ name, address, code }) => [
    name,
    { address, codeHash: bytesToLatin1(keccak256(code)) },
  ]),
);

import { bytesToBigInt, padLeft } from '@polyvisor/bytes/bytes';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { type BlockId, worldAt } from '@polyvisor/eth/state';
import { EMPTY_ACCOUNT, type World } from '@polyvisor/eth/world';
import { blockId } from './block-id.ts';
import { type Method, method } from './method.ts';
import type { EthNode } from './node.ts';
import {
  type Parameter,
  address,
  invalidParams,
  list,
  optional,
  parameter,
  record,
  text,
} from './parameters.ts';
import { type JsonObject, quantityView, wordView } from './views.ts';

/**
 * A slot's key: 32 bytes, or fewer with zeros understood in front.
 * @see go-ethereum, internal/ethapi, decodeStorageKey
 */
interface StorageKey {
  readonly bytes: Uint8Array;
  /** Whether it was given with all its digits: answers repeat it as it was given. */
  readonly isFull: boolean;
}

const storageKey: Parameter<StorageKey> = parameter('storage key', (value) => {
  const given = text.read(value);
  const digits = given.startsWith('0x') || given.startsWith('0X') ? given.slice(2) : given;
  if (digits.length > 64) {
    throw invalidParams(`storage key too long (want at most 32 bytes): ${JSON.stringify(given)}`);
  }
  if (!/^[0-9a-fA-F]*$/.test(digits)) {
    throw invalidParams(`invalid hex in storage key: ${JSON.stringify(given)}`);
  }
  const bytes = hexToBytes(digits.length % 2 === 0 ? digits : `0${digits}`);
  return { bytes: padLeft(bytes, 32), isFull: digits.length === 64 };
});

/** Most slots in one answer. @see go-ethereum, internal/ethapi/api.go, maxGetStorageSlots */
export const STORAGE_KEYS_MAX = 1024;

const block = optional(blockId, 'latest');

export const stateMethods: readonly Method[] = [
  method({
    name: 'eth_getBalance',
    summary: 'Balance of an account, in wei.',
    parameters: [address, block],
    answer: (node, [account, id]) =>
      inWorld(node, id, (world) => quantityView(world.account(account)?.balance ?? 0n)),
  }),
  method({
    name: 'eth_getCode',
    summary: 'Code of an account; 0x where there is none.',
    parameters: [address, block],
    answer: (node, [account, id]) =>
      inWorld(node, id, (world) => bytesToHex(world.codeAt(account))),
  }),
  method({
    name: 'eth_getStorageAt',
    summary: 'Value of a storage slot, as 32 bytes.',
    parameters: [address, storageKey, block],
    answer: (node, [account, key, id]) =>
      inWorld(node, id, (world) => slotView(world, account, key)),
  }),
  method({
    name: 'eth_getStorageValues',
    summary: 'Values of many slots of many accounts, by account.',
    parameters: [parameter('map[common.Address][]common.Hash', slotsByAccount), block],
    answer: (node, [accounts, id]) =>
      inWorld(node, id, (world) =>
        Object.fromEntries(
          accounts.map(({ name, account, keys }) => [
            name,
            keys.map((key) => slotView(world, account, key)),
          ]),
        ),
      ),
  }),
  method({
    name: 'eth_getTransactionCount',
    summary: "Next nonce of an account; at 'pending' with its waiting transactions counted.",
    parameters: [address, block],
    answer: (node, [account, id]) =>
      id === 'pending'
        ? quantityView(node.machine.pendingNonce(account))
        : inWorld(node, id, (world) => quantityView(world.account(account)?.nonce ?? 0n)),
  }),
  method({
    name: 'eth_getProof',
    summary: 'Merkle proofs of an account and of some of its slots (EIP-1186).',
    parameters: [address, list(storageKey, STORAGE_KEYS_MAX), block],
    answer: (node, [account, keys, id]) =>
      inWorld(node, id, (world) => proofView(world, account, keys)),
  }),
  method({
    name: 'eth_getAccount',
    summary: 'Nonce, balance, code hash and storage root of an account.',
    parameters: [address, block],
    answer: (node, [account, id]) =>
      inWorld(node, id, (world) => {
        const found = world.account(account);
        if (!found) return null;
        return {
          nonce: quantityView(found.nonce),
          balance: quantityView(found.balance),
          codeHash: bytesToHex(found.codeHash),
          storageRoot: bytesToHex(found.trie.root()),
        };
      }),
  }),
  method({
    name: 'eth_getAccountInfo',
    summary: 'Nonce, balance and code of an account.',
    parameters: [address, block],
    answer: (node, [account, id]) =>
      inWorld(node, id, (world) => ({
        nonce: quantityView(world.account(account)?.nonce ?? 0n),
        balance: quantityView(world.account(account)?.balance ?? 0n),
        code: bytesToHex(world.codeAt(account)),
      })),
  }),
];

/** Reads the state behind a block; at once, unless it is pending and not the head's. */
function inWorld<T>(node: EthNode, id: BlockId, read: (world: World) => T): T | Promise<T> {
  const { machine } = node;
  if (id !== 'pending' || machine.state.pool.size === 0) {
    return read(worldAt(machine.state, id).world);
  }
  return node.settle(machine.pendingBlock()).then(({ world }) => read(world));
}

function slotView(world: World, account: Uint8Array, { bytes }: StorageKey): string {
  return wordView(bytesToBigInt(world.slot(account, bytes)));
}

function proofView(world: World, owner: Uint8Array, keys: readonly StorageKey[]): JsonObject {
  const account = world.account(owner) ?? EMPTY_ACCOUNT;
  return {
    address: bytesToHex(owner),
    accountProof: world.accountProof(owner).map(bytesToHex),
    balance: quantityView(account.balance),
    codeHash: bytesToHex(account.codeHash),
    nonce: quantityView(account.nonce),
    storageHash: bytesToHex(account.trie.root()),
    storageProof: keys.map((key) => ({
      key: key.isFull ? bytesToHex(key.bytes) : quantityView(bytesToBigInt(key.bytes)),
      value: quantityView(bytesToBigInt(world.slot(owner, key.bytes))),
      proof: world.storageProof(owner, key.bytes).map(bytesToHex),
    })),
  };
}

interface AccountSlots {
  readonly name: string;
  readonly account: Uint8Array;
  readonly keys: readonly StorageKey[];
}

function slotsByAccount(value: unknown): readonly AccountSlots[] {
  const keyList = list(storageKey, STORAGE_KEYS_MAX);
  const accounts = Object.entries(record(value, 'map[common.Address][]common.Hash')).map(
    ([name, keys]) => ({
      name: name.toLowerCase(),
      account: address.read(name),
      keys: keyList.read(keys),
    }),
  );
  const slots = accounts.reduce((sum, { keys }) => sum + keys.length, 0);
  if (slots === 0) throw invalidParams('empty request');
  if (slots > STORAGE_KEYS_MAX) throw invalidParams(`too many slots (max ${STORAGE_KEYS_MAX})`);
  return accounts;
}

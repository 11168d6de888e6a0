import { bigIntToBytes, bytesToBigInt } from '@polyvisor/bytes/bytes';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { encodeRlp } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { recoverAddress } from '@polyvisor/crypto/secp256k1';
import { blobSchedule } from '@polyvisor/evm/blob-schedule';
import type { Tier } from '@polyvisor/evm/compiler/code-cache';
import type { Hardfork } from '@polyvisor/evm/hardfork';
import type {
  AccountEffect,
  Authorization,
  BlockEnvironment,
  TransactionMessage,
  WorldState,
} from '@polyvisor/evm/world';
import { engineOf, forkNames } from './engines.ts';
import { type FixtureAccount, stateRoot } from './state-root.ts';

/** A file of EEST state tests: name -> test. @see execution-spec-tests, "State Tests" in the consumption docs */
export type StateTestFile = Record<string, StateTest>;

export interface StateTest {
  readonly env: Record<string, string>;
  readonly pre: Record<string, PreAccount>;
  readonly transaction: TransactionTemplate;
  readonly post: Record<string, readonly Post[]>;
}

interface PreAccount {
  readonly nonce: string;
  readonly balance: string;
  readonly code: string;
  readonly storage: Record<string, string>;
}

interface TransactionTemplate {
  readonly nonce: string;
  readonly gasPrice?: string;
  readonly maxFeePerGas?: string;
  readonly maxPriorityFeePerGas?: string;
  readonly maxFeePerBlobGas?: string;
  readonly gasLimit: readonly string[];
  readonly to: string;
  readonly value: readonly string[];
  readonly data: readonly string[];
  readonly accessLists?: readonly (readonly { address: string; storageKeys: string[] }[] | null)[];
  readonly blobVersionedHashes?: readonly string[];
  readonly authorizationList?: readonly Record<string, string>[];
  readonly sender: string;
}

interface Post {
  readonly hash: string;
  readonly logs: string;
  readonly indexes: { readonly data: number; readonly gas: number; readonly value: number };
  readonly expectException?: string;
  readonly state?: Record<string, PreAccount>;
}

/** What one case of a test expects and what came out differ; undefined when they agree. */
export function runStateCase(
  test: StateTest,
  forkName: string,
  post: Post,
  tier: Tier,
): string | undefined {
  const fork = forkNames[forkName.toLowerCase()];
  if (!fork) return `unknown fork ${forkName}`;
  const state = new FixtureState(test.pre);
  const execution = engineOf(fork, tier).execute({
    message: messageOf(test.transaction, post),
    block: blockOf(test.env, fork),
    state,
    rules: 'transaction',
  });
  while (!execution.run(10_000_000)) continue;
  const outcome = execution.outcome!;
  if (outcome.kind === 'fault') return `fault: ${outcome.message}`;
  if (outcome.kind === 'rejected') {
    if (!post.expectException) return `rejected: ${outcome.error}`;
  } else {
    if (post.expectException) return `accepted; expected ${post.expectException}`;
    state.apply(outcome.effects);
  }
  const root = bytesToHex(stateRoot(state.accounts));
  if (root !== post.hash) {
    return `state root ${root}, expected ${post.hash}${describe(state, post, outcome)}`;
  }
  const logs = outcome.kind === 'executed' ? outcome.logs : [];
  const logsHash = bytesToHex(
    keccak256(encodeRlp(logs.map((log) => [log.address, [...log.topics], log.data]))),
  );
  return logsHash === post.logs ? undefined : `logs hash ${logsHash}, expected ${post.logs}`;
}

/** The accounts that are not as the fixture's full post state says. */
function describe(state: FixtureState, post: Post, outcome: object): string {
  if (!post.state) return '';
  const lines = [
    `\n  outcome ${JSON.stringify(outcome, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v instanceof Uint8Array ? bytesToHex(v).slice(0, 80) : v)).slice(0, 400)}`,
  ];
  for (const address of new Set([...Object.keys(post.state), ...state.accounts.keys()])) {
    const expected = post.state[address];
    const actual = state.accounts.get(address);
    if (!expected || !actual) {
      lines.push(
        `${address}: ${actual ? 'exists' : 'missing'}, expected ${expected ? 'it' : 'none'}`,
      );
      continue;
    }
    if (BigInt(expected.balance) !== actual.balance) {
      lines.push(`${address}.balance ${actual.balance}, expected ${BigInt(expected.balance)}`);
    }
    if (BigInt(expected.nonce) !== actual.nonce) lines.push(`${address}.nonce ${actual.nonce}`);
    const keys = new Set([...Object.keys(expected.storage).map(key32), ...actual.storage.keys()]);
    for (const key of keys) {
      const want = Object.entries(expected.storage).find(([k]) => key32(k) === key)?.[1] ?? '0x0';
      const got = bytesToBigInt(actual.storage.get(key) ?? new Uint8Array(0));
      if (BigInt(want) !== got) lines.push(`${address}[${key}] ${got}, expected ${BigInt(want)}`);
    }
  }
  return lines.join('\n  ');
}

class FixtureState implements WorldState {
  readonly accounts = new Map<string, FixtureAccount>();
  readonly #codes = new Map<string, Uint8Array>();

  constructor(pre: Readonly<Record<string, PreAccount>>) {
    for (const [address, account] of Object.entries(pre)) {
      const code = hexToBytes(account.code);
      const codeHash = keccak256(code);
      this.#codes.set(bytesToHex(codeHash), code);
      this.accounts.set(address.toLowerCase(), {
        nonce: BigInt(account.nonce),
        balance: BigInt(account.balance),
        codeHash,
        storage: new Map(
          Object.entries(account.storage).map(([key, value]) => [key32(key), bytes32(value)]),
        ),
      });
    }
  }

  account(address: Uint8Array): ReturnType<WorldState['account']> {
    const found = this.accounts.get(bytesToHex(address));
    return found && { ...found, hasStorage: found.storage.size > 0 };
  }

  code(codeHash: Uint8Array): Uint8Array {
    return this.#codes.get(bytesToHex(codeHash)) ?? new Uint8Array(0);
  }

  storage(address: Uint8Array, key: Uint8Array): Uint8Array {
    return (
      this.accounts.get(bytesToHex(address))?.storage.get(bytesToHex(key)) ?? new Uint8Array(32)
    );
  }

  /** The fixtures' convention: the hash of a block is that of its number in decimal. */
  blockHash(number: bigint): Uint8Array {
    return keccak256(new TextEncoder().encode(number.toString()));
  }

  apply(effects: readonly AccountEffect[]): void {
    for (const effect of effects) {
      const key = bytesToHex(effect.address);
      if (!effect.account) {
        this.accounts.delete(key);
        continue;
      }
      const storage = effect.storageCleared
        ? new Map()
        : (this.accounts.get(key)?.storage ?? new Map());
      for (const [slot, value] of effect.storage) {
        if (value.some((byte) => byte !== 0)) storage.set(bytesToHex(slot), value);
        else storage.delete(bytesToHex(slot));
      }
      this.accounts.set(key, { ...effect.account, storage });
    }
  }
}

function messageOf(tx: TransactionTemplate, post: Post): TransactionMessage {
  const accessList = tx.accessLists?.[post.indexes.data] ?? undefined;
  const type = tx.authorizationList
    ? 4
    : tx.blobVersionedHashes
      ? 3
      : tx.maxFeePerGas !== undefined
        ? 2
        : accessList
          ? 1
          : 0;
  return {
    type,
    sender: hexToBytes(tx.sender),
    to: tx.to === '' ? undefined : hexToBytes(tx.to),
    nonce: BigInt(tx.nonce),
    gasLimit: BigInt(tx.gasLimit[post.indexes.gas]!),
    maxFeePerGas: BigInt(tx.maxFeePerGas ?? tx.gasPrice ?? 0),
    maxPriorityFeePerGas: BigInt(tx.maxPriorityFeePerGas ?? tx.gasPrice ?? 0),
    value: BigInt(tx.value[post.indexes.value]!),
    data: hexToBytes(tx.data[post.indexes.data]!),
    accessList: (accessList ?? []).map((entry) => ({
      address: hexToBytes(entry.address),
      storageKeys: entry.storageKeys.map(bytes32),
    })),
    blobVersionedHashes: (tx.blobVersionedHashes ?? []).map(hexToBytes),
    maxFeePerBlobGas: BigInt(tx.maxFeePerBlobGas ?? 0),
    authorizationList: (tx.authorizationList ?? []).map(authorizationOf),
  };
}

/** @see EIP-7702: keccak256(0x05 || rlp([chain_id, address, nonce])), with the lower s only */
function authorizationOf(entry: Record<string, string>): Authorization {
  const chainId = BigInt(entry['chainId']!);
  const address = hexToBytes(entry['address']!);
  const nonce = BigInt(entry['nonce']!);
  const minimal = (value: bigint): Uint8Array =>
    value === 0n ? new Uint8Array(0) : hexToBytes(value.toString(16).replace(/^(.(..)*)$/, '0$1'));
  const payload = encodeRlp([minimal(chainId), address, minimal(nonce)]);
  const digest = keccak256(Uint8Array.of(0x05, ...payload));
  const s = BigInt(entry['s']!);
  const parity = BigInt(entry['yParity'] ?? entry['v']!);
  const isPlausible =
    parity <= 1n && s <= 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
  const authority = isPlausible
    ? recoverAddress(digest, BigInt(entry['r']!), s, parity === 1n ? 1 : 0)
    : undefined;
  return { chainId, address, nonce, authority };
}

function blockOf(env: Readonly<Record<string, string>>, fork: Hardfork): BlockEnvironment {
  const number = (name: string): bigint => BigInt(env[name] ?? 0);
  const randomness = env['currentRandom'] ?? env['currentDifficulty'] ?? '0x0';
  return {
    chainId: 1n,
    number: number('currentNumber'),
    timestamp: number('currentTimestamp'),
    coinbase: hexToBytes(env['currentCoinbase']!),
    gasLimit: number('currentGasLimit'),
    baseFee: number('currentBaseFee'),
    prevRandao: bytes32(randomness),
    blobBaseFee: blobBaseFee(number('currentExcessBlobGas'), fork),
  };
}

/** @see EIP-4844, fake_exponential */
function blobBaseFee(excess: bigint, fork: Hardfork): bigint {
  const schedule = blobSchedule(fork);
  if (!schedule) return 0n;
  let sum = 0n;
  let term = schedule.updateFraction;
  for (let i = 1n; term > 0n; i++) {
    sum += term;
    term = (term * excess) / (schedule.updateFraction * i);
  }
  return sum / schedule.updateFraction;
}

function bytes32(text: string): Uint8Array {
  return bigIntToBytes(BigInt(text === '0x' ? 0 : text), 32);
}

function key32(text: string): string {
  return bytesToHex(bytes32(text));
}

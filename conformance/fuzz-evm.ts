import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { bytesToHex } from '@polyvisor/bytes/hex';
import {
  CONTRACT,
  SENDER,
  runToOutcome,
  testBlock,
  testBlockHash,
} from '@polyvisor/evm/testing/run-code';
import { randomNumbers, randomProgram } from '@polyvisor/evm/testing/random-program';
import { peerPackage, peerVersion } from '../bench/peers.ts';
import type { Fuzz } from './fuzz.ts';

const FORK = 'prague';
const LENGTH = 60;
const GAS = 400_000n;
/** What a message of no data and no value costs before it executes. @see Yellow Paper, G_transaction */
const INTRINSIC_GAS = 21_000n;
const OTHER = new Uint8Array(20).fill(0xd0);
const NOBODY = new Uint8Array(20).fill(0xee);
const precompile = (index: number): Uint8Array => {
  const address = new Uint8Array(20);
  address[19] = index;
  return address;
};
const addresses = [
  CONTRACT,
  OTHER,
  SENDER,
  NOBODY,
  precompile(2),
  precompile(4),
  testBlock.coinbase,
];

/**
 * Two random contracts that call each other, here and in another implementation: how it ended, gas, refund, output,
 * logs and storage must be equal.
 */
export const fuzz: Fuzz = {
  peer: 'ethereumjs',
  summary: `random programs, the engine against ${peerVersion('@ethereumjs/evm')}`,
  run: async ({ seed, n }) => {
    const peer = await openPeer();
    const counts = {
      success: 0,
      revert: 0,
      halted: 0,
      'with logs': 0,
      'with storage': 0,
      'passed over: the peer has no KZG set-up': 0,
    };
    for (let i = 0; i < n; i++) {
      const random = randomNumbers(seed + i);
      const program = { fork: FORK, length: LENGTH, addresses } as const;
      const code = randomProgram(random, program);
      const other = randomProgram(random, { ...program, length: LENGTH / 2 });
      const ours = runOurs(code, other);
      const theirs = await peer(code, other);
      if (theirs === undefined) {
        counts['passed over: the peer has no KZG set-up']++;
        continue;
      }
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
        throw new Error(
          `case ${i} (seed ${seed + i} --n 1):\n code ${bytesToHex(code)}\n other ${bytesToHex(other)}` +
            `\n ours   ${JSON.stringify(ours)}\n theirs ${JSON.stringify(theirs)}`,
        );
      }
      counts[ours.ending]++;
      if (ours.logs.length > 0) counts['with logs']++;
      if (ours.storage.length > 0) counts['with storage']++;
    }
    return counts;
  },
};

interface Result {
  readonly ending: 'success' | 'revert' | 'halted';
  readonly gas: string;
  readonly output: string;
  readonly logs: readonly string[];
  readonly storage: readonly string[];
}

function runOurs(code: Uint8Array, other: Uint8Array): Result {
  const outcome = runToOutcome(code, { fork: FORK, gas: GAS, others: [[OTHER, other]] });
  if (outcome.kind !== 'executed') throw new Error(`not executed: ${outcome.kind}`);
  const { status } = outcome;
  const storage: string[] = [];
  for (const effect of outcome.effects) {
    const address = bytesToHex(effect.address);
    if (address !== bytesToHex(CONTRACT) && address !== bytesToHex(OTHER)) continue;
    for (const [key, value] of effect.storage) {
      storage.push(`${address} ${bytesToHex(key)} ${bytesToHex(value)}`);
    }
  }
  return {
    ending: status === 'success' || status === 'revert' ? status : 'halted',
    gas: String(outcome.gasUsed + outcome.gasRefunded - INTRINSIC_GAS),
    output: bytesToHex(outcome.output),
    logs: outcome.logs.map(({ address, topics, data }) =>
      [address, ...topics, data].map(bytesToHex).join(' '),
    ),
    storage: storage.toSorted(),
  };
}

async function openPeer(): Promise<
  (code: Uint8Array, other: Uint8Array) => Promise<Result | undefined>
> {
  const [{ createEVM }, { Common, Mainnet, Hardfork }, util, { SimpleStateManager }] =
    await Promise.all([
      load('@ethereumjs/evm'),
      load('@ethereumjs/common'),
      load('@ethereumjs/util'),
      load('@ethereumjs/statemanager'),
    ]);
  const { Address, createAccount } = util;
  const block = {
    header: {
      number: testBlock.number,
      coinbase: new Address(testBlock.coinbase),
      timestamp: testBlock.timestamp,
      difficulty: 0n,
      prevRandao: testBlock.prevRandao,
      gasLimit: testBlock.gasLimit,
      baseFeePerGas: testBlock.baseFee,
      getBlobGasPrice: () => testBlock.blobBaseFee,
      excessBlobGas: 0n,
    },
  };
  const blockchain = {
    getBlock: async (number: bigint) => ({ hash: () => testBlockHash(number) }),
    putBlock: async () => {},
    shallowCopy: () => blockchain,
  };
  return async (code, other) => {
    const common = new Common({
      chain: { ...Mainnet, chainId: Number(testBlock.chainId) },
      hardfork: Hardfork.Prague,
    });
    const stateManager = new SimpleStateManager({ common });
    for (const [address, bytes] of [
      [CONTRACT, code],
      [OTHER, other],
    ] as const) {
      await stateManager.putAccount(new Address(address), createAccount({ nonce: 1n }));
      await stateManager.putCode(new Address(address), bytes);
    }
    const before = new Set([CONTRACT, OTHER].map(bytesToHex));
    const evm = await createEVM({ common, stateManager, blockchain });
    const warm = [CONTRACT, SENDER, testBlock.coinbase];
    for (let index = 1; index <= 0x11; index++) warm.push(precompile(index));
    for (const address of warm) {
      evm.journal.addAlwaysWarmAddress(bytesToHex(address).slice(2));
    }
    const writes = watchStorage(stateManager);
    const run = evm.runCall({
      block,
      caller: new Address(SENDER),
      origin: new Address(SENDER),
      to: new Address(CONTRACT),
      data: new Uint8Array(0),
      gasLimit: GAS - INTRINSIC_GAS,
    });
    const result = await run.catch((error: Error) => {
      if (error.message === 'kzg not initialized') return undefined;
      throw error;
    });
    if (result === undefined) return undefined;
    const { execResult } = result;
    const error: string | undefined = execResult.exceptionError?.error;
    const ending = error === undefined ? 'success' : error === 'revert' ? 'revert' : 'halted';
    const storage: string[] = [];
    if (ending === 'success') {
      for (const [address, key] of writes) {
        if (!before.has(address)) continue;
        const bytes = Buffer.from(key.slice(2), 'hex');
        const value = await stateManager.getStorage(
          new Address(Buffer.from(address.slice(2), 'hex')),
          bytes,
        );
        const padded = new Uint8Array(32);
        padded.set(value, 32 - value.length);
        // Written and set back again is no change.
        if (padded.some((byte) => byte !== 0)) {
          storage.push(`${address} ${key} ${bytesToHex(padded)}`);
        }
      }
    }
    return {
      ending,
      gas: String(execResult.executionGasUsed),
      output: bytesToHex(execResult.returnValue),
      logs: (ending === 'success' ? (execResult.logs ?? []) : []).map(
        ([address, topics, data]: [Uint8Array, Uint8Array[], Uint8Array]) =>
          [address, ...topics, data].map(bytesToHex).join(' '),
      ),
      storage: storage.toSorted(),
    };
  };
}

/** Which slots are ever written. */
// oxlint-disable-next-line typescript/no-explicit-any
function watchStorage(stateManager: any): (readonly [address: string, key: string])[] {
  const seen = new Map<string, readonly [string, string]>();
  const put = stateManager.putStorage.bind(stateManager);
  const list: (readonly [string, string])[] = [];
  stateManager.putStorage = async (
    address: { readonly bytes: Uint8Array },
    key: Uint8Array,
    value: Uint8Array,
  ): Promise<void> => {
    const pair = [bytesToHex(address.bytes), bytesToHex(key)] as const;
    if (!seen.has(pair.join(' '))) {
      seen.set(pair.join(' '), pair);
      list.push(pair);
    }
    await put(address, key, value);
  };
  return list;
}

/** The peer is not installed when this is type-checked, so its modules have no types. */
// oxlint-disable-next-line typescript/no-explicit-any
async function load(name: Parameters<typeof peerPackage>[0]): Promise<any> {
  return await import(pathToFileURL(join(peerPackage(name), 'dist', 'esm', 'index.js')).href);
}

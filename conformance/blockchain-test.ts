import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { padLeft } from '@polyvisor/bytes/bytes';
import { decodeRlp } from '@polyvisor/codec/rlp';
import { decodeHeader, headerHash } from '@polyvisor/eth/header';
import { type ImportParent, importBlock } from '@polyvisor/eth/import-block';
import { Overlay } from '@polyvisor/eth/overlay';
import { World } from '@polyvisor/eth/world';
import type { Hardfork } from '@polyvisor/evm/hardfork';
import { runToEnd } from '@polyvisor/machine/steps';
import type { Tier } from '@polyvisor/evm/compiler/code-cache';
import { engineOf, forkNames } from './engines.ts';

/** A file of EEST blockchain tests. @see execution-spec-tests, "Blockchain Tests" in the consumption docs */
export type BlockchainTestFile = Record<string, BlockchainTest>;

export interface BlockchainTest {
  readonly network: string;
  readonly genesisRLP: string;
  readonly genesisBlockHeader: { readonly hash: string; readonly stateRoot: string };
  readonly pre: Record<string, PreAccount>;
  readonly blocks: readonly FixtureBlock[];
  readonly lastblockhash: string;
  readonly config: { readonly chainid: string };
}

interface PreAccount {
  readonly nonce: string;
  readonly balance: string;
  readonly code: string;
  readonly storage: Record<string, string>;
}

interface FixtureBlock {
  readonly rlp: string;
  readonly expectException?: string;
}

/** What a chain of blocks should have been and was not; undefined when all is as it should be. */
export function runBlockchainCase(test: BlockchainTest, tier: Tier): string | undefined {
  const forkAt = forksOf(test.network);
  if (!forkAt) return `unknown fork ${test.network}`;
  const chainId = BigInt(test.config.chainid);
  let head = genesisOf(test, forkAt(0n));
  if (bytesToHex(head.hash) !== test.genesisBlockHeader.hash) return 'genesis: hash';
  if (bytesToHex(head.world.root()) !== test.genesisBlockHeader.stateRoot) return 'genesis: root';
  const hashes = new Map([[head.header.number, head.hash]]);

  for (const [i, { rlp, expectException }] of test.blocks.entries()) {
    const bytes = hexToBytes(rlp);
    const fork = forkAt(timestampOf(bytes));
    const blockHash = (number: bigint): Uint8Array => hashes.get(number) ?? new Uint8Array(32);
    const parent = head;
    const result = runToEnd((slice) =>
      importBlock(engineOf(fork, tier), parent, bytes, chainId, blockHash, slice),
    );
    if (result.kind === 'invalid') {
      if (expectException === undefined) return `block ${i}: refused for ${result.reason}`;
      continue;
    }
    if (expectException !== undefined) return `block ${i}: accepted, expected ${expectException}`;
    head = { header: result.block.header, hash: result.block.hash, world: result.world };
    hashes.set(head.header.number, head.hash);
  }
  return bytesToHex(head.hash) === test.lastblockhash ? undefined : 'another head';
}

function genesisOf(test: BlockchainTest, fork: Hardfork): ImportParent {
  const [item] = decodeRlp(hexToBytes(test.genesisRLP)) as readonly Uint8Array[];
  const header = decodeHeader(item!, fork);
  return { header, hash: headerHash(header), world: worldOf(test.pre) };
}

function worldOf(pre: BlockchainTest['pre']): World {
  const overlay = new Overlay(World.empty, () => new Uint8Array(32));
  for (const [key, account] of Object.entries(pre)) {
    const address = hexToBytes(key);
    overlay.setBalance(address, BigInt(account.balance));
    overlay.setNonce(address, BigInt(account.nonce));
    if (account.code !== '0x') overlay.setCode(address, hexToBytes(account.code));
    for (const [slot, value] of Object.entries(account.storage)) {
      overlay.setStorage(address, padLeft(hexToBytes(slot), 32), BigInt(value));
    }
  }
  return overlay.commit();
}

/** The fork of each timestamp: one, or two as in `CancunToPragueAtTime15k`. */
function forksOf(network: string): ((timestamp: bigint) => Hardfork) | undefined {
  const change = /^(\w+)To(\w+)AtTime15k$/.exec(network);
  const before = forkNames[(change?.[1] ?? network).toLowerCase()];
  const after = change ? forkNames[change[2]!.toLowerCase()] : before;
  if (!before || !after) return undefined;
  return (timestamp) => (timestamp < 15_000n ? before : after);
}

/** A block that can't be read is as old as the chain. */
function timestampOf(bytes: Uint8Array): bigint {
  try {
    const [header] = decodeRlp(bytes) as readonly (readonly Uint8Array[])[];
    return BigInt(bytesToHex(header![TIMESTAMP]!));
  } catch {
    return 0n;
  }
}

const TIMESTAMP = 11;

import { createRequire } from 'node:module';
import {
  type Abi,
  type Hex,
  createPublicClient,
  createTestClient,
  createWalletClient,
  custom,
} from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { MNEMONIC, TestNode, type TestNodeOptions } from './test-node.ts';

/** Accounts that sign by themselves; the node holds their keys too. */
export const alice = mnemonicToAccount(MNEMONIC, { addressIndex: 0 });
export const bob = mnemonicToAccount(MNEMONIC, { addressIndex: 1 });
/** An account whose key nobody here has. */
export const stranger = '0x00000000000000000000000000000000deadbeef';

/** viem's three clients over a node of their own. */
export function viemOf(options?: TestNodeOptions) {
  const node = new TestNode(options);
  const transport = custom(node.provider, { retryCount: 0 });
  const common = { chain: foundry, transport, pollingInterval: 1 } as const;
  return {
    node,
    client: createPublicClient({ ...common, cacheTime: 0 }),
    wallet: createWalletClient({ ...common, account: alice }),
    /** Accounts are the node's: it signs. */
    nodeWallet: createWalletClient(common),
    chain: createTestClient({ ...common, mode: 'anvil' }),
  };
}

interface Artifact {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

const artifact = createRequire(import.meta.url)('@uniswap/v2-core/build/ERC20.json') as Artifact;

/** A real token: its constructor takes the supply, which its creator gets. */
export const token = {
  bytecode: `0x${artifact.bytecode.replace(/^0x/, '')}`,
  abi: [
    {
      type: 'constructor',
      inputs: [{ name: '_totalSupply', type: 'uint256' }],
      stateMutability: 'nonpayable',
    },
    {
      type: 'function',
      name: 'transfer',
      inputs: [
        { name: 'to', type: 'address' },
        { name: 'value', type: 'uint256' },
      ],
      outputs: [{ type: 'bool' }],
      stateMutability: 'nonpayable',
    },
    {
      type: 'function',
      name: 'balanceOf',
      inputs: [{ name: 'owner', type: 'address' }],
      outputs: [{ type: 'uint256' }],
      stateMutability: 'view',
    },
    {
      type: 'event',
      name: 'Transfer',
      inputs: [
        { name: 'from', type: 'address', indexed: true },
        { name: 'to', type: 'address', indexed: true },
        { name: 'value', type: 'uint256', indexed: false },
      ],
    },
  ],
} as const;

export const SUPPLY = 1_000_000n;

/** Deploys the token as alice. @returns its address */
export async function deployToken({ wallet, client }: ReturnType<typeof viemOf>): Promise<Hex> {
  const hash = await wallet.deployContract({ ...token, args: [SUPPLY] });
  const { contractAddress } = await client.getTransactionReceipt({ hash });
  return contractAddress!;
}

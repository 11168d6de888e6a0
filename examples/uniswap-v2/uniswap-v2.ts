import factoryBuild from '@uniswap/v2-core/build/UniswapV2Factory.json' with { type: 'json' };
import tokenBuild from '@uniswap/v2-core/build/ERC20.json' with { type: 'json' };
import routerBuild from '@uniswap/v2-periphery/build/UniswapV2Router02.json' with { type: 'json' };
import wethBuild from '@uniswap/v2-periphery/build/WETH9.json' with { type: 'json' };
import { createPublicClient, createWalletClient, custom, encodeFunctionData } from 'viem';
import { parseAbi, parseEther } from 'viem';
import type { Address, EIP1193Provider, Hex, PublicClient, WalletClient } from 'viem';

/**
 * Uniswap v2 from the bytecode that its authors published, deployed to a development chain: two tokens, a pair with
 * liquidity, and a swap. Transactions are signed by the chain's own first account, so any EIP-1193 provider will do.
 * @param provider of a chain whose first account has ether
 * @param onStep called as each of `STEPS` begins
 */
export async function deployUniswap(
  provider: Pick<EIP1193Provider, 'request'> | { request(call: unknown): Promise<unknown> },
  onStep: (step: Step) => void = () => {},
): Promise<Uniswap> {
  // Polls of a chain in the same process cost nothing; a public one would be asked less often.
  const transport = custom(provider as EIP1193Provider);
  const reader = createPublicClient({ transport, pollingInterval: 10 });
  const [trader] = await createWalletClient({ transport }).getAddresses();
  if (trader === undefined) throw new Error('the chain has no account of its own to deploy with');
  const wallet = createWalletClient({ transport, account: trader });
  const chain = { reader, wallet };

  onStep('deploy WETH');
  const weth = await deploy(chain, wethBuild.bytecode, []);
  onStep('deploy the factory');
  const factory = await deploy(chain, factoryBuild.bytecode, [word(trader)]);
  onStep('deploy the router');
  const router = await deploy(chain, routerBuild.bytecode, [word(factory), word(weth)]);
  onStep('deploy two tokens');
  const supply = word(parseEther('1000000'));
  const tokenA = await deploy(chain, tokenBuild.bytecode, [supply]);
  const tokenB = await deploy(chain, tokenBuild.bytecode, [supply]);
  onStep('add liquidity');
  const approve = { abi: tokenAbi, functionName: 'approve', args: [router, MAX] } as const;
  for (const token of [tokenA, tokenB]) await send(chain, token, encodeFunctionData(approve));
  const { timestamp } = await reader.getBlock();
  const deadline = timestamp + 3600n;
  const addLiquidity = encodeFunctionData({
    abi: routerAbi,
    functionName: 'addLiquidity',
    args: [tokenA, tokenB, LIQUIDITY_A, LIQUIDITY_B, 0n, 0n, trader, deadline],
  });
  await send(chain, router, addLiquidity);
  const pair = await reader.readContract({
    address: factory,
    abi: factoryAbi,
    functionName: 'getPair',
    args: [tokenA, tokenB],
  });
  onStep('swap');
  const swap = encodeFunctionData({
    abi: routerAbi,
    functionName: 'swapExactTokensForTokens',
    args: [SWAPPED, 0n, [tokenA, tokenB], trader, deadline],
  });
  await send(chain, router, swap);
  return { trader, weth, factory, router, tokenA, tokenB, pair };
}

/** What the deployment does, in order. */
export const STEPS = [
  'deploy WETH',
  'deploy the factory',
  'deploy the router',
  'deploy two tokens',
  'add liquidity',
  'swap',
] as const;

export type Step = (typeof STEPS)[number];

/** Addresses of all that was deployed. */
export interface Uniswap {
  readonly trader: Address;
  readonly weth: Address;
  readonly factory: Address;
  readonly router: Address;
  readonly tokenA: Address;
  readonly tokenB: Address;
  readonly pair: Address;
}

/** What the pair gets first, and what the trader then swaps. Units of 10^-18. */
export const LIQUIDITY_A: bigint = parseEther('1000');
export const LIQUIDITY_B: bigint = parseEther('4000');
export const SWAPPED: bigint = parseEther('10');

export const tokenAbi = parseAbi([
  'function approve(address spender, uint256 value) returns (bool)',
  'function balanceOf(address owner) view returns (uint256)',
  'function totalSupply() view returns (uint256)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
]);

export const factoryAbi = parseAbi([
  'function getPair(address a, address b) view returns (address)',
  'function allPairsLength() view returns (uint256)',
]);

export const pairAbi = parseAbi([
  'function token0() view returns (address)',
  'function getReserves() view returns (uint112 reserve0, uint112 reserve1, uint32 at)',
]);

export const routerAbi = parseAbi([
  'function addLiquidity(address tokenA, address tokenB, uint256 amountADesired, uint256 amountBDesired, uint256 amountAMin, uint256 amountBMin, address to, uint256 deadline)',
  'function swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline)',
  'function getAmountsOut(uint256 amountIn, address[] path) view returns (uint256[])',
]);

const MAX = 2n ** 256n - 1n;

interface Chain {
  readonly reader: PublicClient;
  readonly wallet: WalletClient;
}

/** @param words the constructor's arguments, each encoded as 32 bytes. @returns the contract's address */
async function deploy(chain: Chain, bytecode: string, words: readonly string[]): Promise<Address> {
  const data = `0x${bytecode}${words.join('')}` as const;
  const hash = await chain.wallet.sendTransaction({ ...sender(chain), data });
  const { contractAddress } = await mined(chain, hash);
  if (typeof contractAddress === 'string') return contractAddress;
  throw new Error(`transaction ${hash} made no contract`);
}

async function send(chain: Chain, to: Address, data: Hex): Promise<void> {
  await mined(chain, await chain.wallet.sendTransaction({ ...sender(chain), to, data }));
}

async function mined({ reader }: Chain, hash: Hex) {
  const receipt = await reader.waitForTransactionReceipt({ hash });
  if (receipt.status === 'success') return receipt;
  throw new Error(`transaction ${hash} was reverted`);
}

/** The wallet's account; `chain: null` because any chain will do. */
function sender({ wallet }: Chain) {
  const { account } = wallet;
  if (account === undefined) throw new Error('the wallet has no account');
  return { account, chain: null } as const;
}

/** A value as the ABI encodes it: 32 bytes, big-endian, hex without `0x`. */
function word(value: bigint | Address): string {
  return BigInt(value).toString(16).padStart(64, '0');
}

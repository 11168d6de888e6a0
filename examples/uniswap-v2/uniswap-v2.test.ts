import { JsonRpcProvider, Contract } from 'ethers';
import { createHost, evm } from 'polyvisor';
import { chains } from 'polyvisor/vitest';
import { createPublicClient, custom, http, keccak256 } from 'viem';
import type { Address } from 'viem';
import pairBuild from '@uniswap/v2-core/build/UniswapV2Pair.json' with { type: 'json' };
import routerBuild from '@uniswap/v2-periphery/build/UniswapV2Router02.json' with { type: 'json' };
import { expect, test as plainTest } from 'vitest';
import { deployUniswap, factoryAbi, pairAbi, routerAbi, tokenAbi } from './uniswap-v2.ts';
import { LIQUIDITY_A, LIQUIDITY_B, SWAPPED } from './uniswap-v2.ts';
import type { Uniswap } from './uniswap-v2.ts';

/** What the swap of the example gives: constant product after a fee of 0.3 %. */
const BOUGHT = (SWAPPED * 997n * LIQUIDITY_B) / (LIQUIDITY_A * 1000n + SWAPPED * 997n);

const deployed: { uniswap?: Uniswap } = {};
const test = chains(
  { l1: evm() },
  { prepare: async ({ l1 }) => void (deployed.uniswap = await deployUniswap(l1.provider)) },
);

plainTest('the router was built for the pairs of the published factory', () => {
  // UniswapV2Library.pairFor has the hash of a pair's creation code as a constant.
  const hash = keccak256(`0x${pairBuild.bytecode}`).slice(2);
  expect(routerBuild.bytecode).toContain(hash);
});

test('in process, through EIP-1193: the pair holds what was put in and swapped', async ({ l1 }) => {
  const { pair, factory, tokenA, tokenB, trader } = deployed.uniswap!;
  const client = createPublicClient({ transport: custom(l1.provider) });
  const read = { address: pair, abi: pairAbi } as const;
  const token0 = await client.readContract({ ...read, functionName: 'token0' });
  const reserves = await client.readContract({ ...read, functionName: 'getReserves' });
  const [reserveA, reserveB] = isSame(token0, tokenA) ? reserves : [reserves[1], reserves[0]];
  expect(reserveA).toBe(LIQUIDITY_A + SWAPPED);
  expect(reserveB).toBe(LIQUIDITY_B - BOUGHT);
  const pairs = { address: factory, abi: factoryAbi, functionName: 'allPairsLength' } as const;
  expect(await client.readContract(pairs)).toBe(1n);
  const balance = { address: tokenB, abi: tokenAbi, functionName: 'balanceOf' } as const;
  expect(await client.readContract({ ...balance, args: [pair] })).toBe(reserveB);
  const supply = await client.readContract({ ...balance, functionName: 'totalSupply', args: [] });
  const held = await client.readContract({ ...balance, args: [trader] });
  expect(held).toBe(supply - reserveB);
});

test('over HTTP with viem: the router quotes the next swap', async ({ l1 }) => {
  const { router, tokenA, tokenB } = deployed.uniswap!;
  const client = createPublicClient({ transport: http(await l1.listen()) });
  const [, quoted] = await client.readContract({
    address: router,
    abi: routerAbi,
    functionName: 'getAmountsOut',
    args: [SWAPPED, [tokenA, tokenB]],
  });
  const reserveA = LIQUIDITY_A + SWAPPED;
  const reserveB = LIQUIDITY_B - BOUGHT;
  expect(quoted).toBe((SWAPPED * 997n * reserveB) / (reserveA * 1000n + SWAPPED * 997n));
});

test('over HTTP with ethers: a swap back moves the pair, and its Transfer is logged', async ({
  l1,
}) => {
  const { router, tokenA, tokenB, trader, pair } = deployed.uniswap!;
  const provider = new JsonRpcProvider(await l1.listen(), undefined, { cacheTimeout: -1 });
  try {
    const signer = await provider.getSigner(trader);
    const exchange = new Contract(
      router,
      ['function swapExactTokensForTokens(uint256,uint256,address[],address,uint256)'],
      signer,
    );
    const deadline = (await provider.getBlock('latest'))!.timestamp + 3600;
    const sent = await exchange['swapExactTokensForTokens']!(
      BOUGHT,
      0n,
      [tokenB, tokenA],
      trader,
      deadline,
    );
    const receipt = await sent.wait();
    expect(receipt.status).toBe(1);
    const token = new Contract(
      tokenB,
      ['event Transfer(address indexed from, address indexed to, uint256 value)'],
      provider,
    );
    const [transfer] = await token.queryFilter(
      token.filters['Transfer']!(trader, pair),
      receipt.blockNumber,
    );
    expect(BigInt(transfer!.data)).toBe(BOUGHT);
  } finally {
    provider.destroy();
  }
});

plainTest('it deploys to a fresh chain of any hardfork it needs', async () => {
  await using host = await createHost();
  const chain = await host.create(evm({ hardfork: 'london' }));
  const { pair } = await deployUniswap(chain.provider);
  expect(await chain.provider.request({ method: 'eth_getCode', params: [pair, 'latest'] })).toMatch(
    /^0x60806040/,
  );
});

function isSame(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

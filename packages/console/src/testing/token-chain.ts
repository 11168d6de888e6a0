import tokenBuild from '@uniswap/v2-core/build/ERC20.json' with { type: 'json' };
import { encodeFunctionData, parseAbi } from 'viem';
import type { Hex } from 'viem';

/** What asks a chain; a guest's `provider` is one. */
export interface Asker {
  request(call: { readonly method: string; readonly params?: unknown }): Promise<unknown>;
}

/** What happened on the chain, by hash, and who took part. */
export interface TokenChain {
  readonly owner: Hex;
  readonly token: Hex;
  readonly proxy: Hex;
  readonly deployed: Hex;
  /** A transfer of 5 tokens to the proxy. */
  readonly transferred: Hex;
  /** The proxy has the token transfer 2 of them back: a call within a call. */
  readonly forwarded: Hex;
  /** The same with more than there is: the token reverts with a reason, the proxy passes it on. */
  readonly reverted: Hex;
}

/** A token, a proxy that calls it, and transactions that succeed and fail: five blocks. */
export async function fillChain(chain: Asker): Promise<TokenChain> {
  const ask = async (method: string, ...params: readonly unknown[]): Promise<unknown> =>
    await chain.request({ method, params });
  const [owner] = (await ask('eth_accounts')) as [Hex];
  const send = async (transaction: object): Promise<Hex> =>
    (await ask('eth_sendTransaction', { from: owner, gas: '0x2dc6c0', ...transaction })) as Hex;
  const created = async (hash: Hex): Promise<Hex> => {
    const receipt = (await ask('eth_getTransactionReceipt', hash)) as { contractAddress: Hex };
    return receipt.contractAddress;
  };
  const supply = 1000n.toString(16).padStart(64, '0');
  const deployed = await send({ data: `0x${tokenBuild.bytecode}${supply}` });
  const token = await created(deployed);
  const proxy = await created(await send({ data: proxyCode(token) }));
  const transfer = (to: Hex, amount: bigint): Hex =>
    encodeFunctionData({ abi, functionName: 'transfer', args: [to, amount] });
  return {
    owner,
    token,
    proxy,
    deployed,
    transferred: await send({ to: token, data: transfer(proxy, 5n) }),
    forwarded: await send({ to: proxy, data: transfer(owner, 2n) }),
    reverted: await send({ to: proxy, data: transfer(owner, 100n) }),
  };
}

const abi = parseAbi(['function transfer(address to, uint256 value) returns (bool)']);

/**
 * Init code of a contract that calls `target` with what it is called with, and ends as that does:
 *
 *     calldatacopy(0, 0, calldatasize)
 *     ok = call(gas, target, 0, 0, calldatasize, 0, 0)
 *     returndatacopy(0, 0, returndatasize)
 *     ok ? return(0, returndatasize) : revert(0, returndatasize)
 */
function proxyCode(target: Hex): Hex {
  const runtime = `365f5f37 5f5f365f5f73${target.slice(2)}5af1 3d5f5f3e 602a57 3d5ffd 5b3d5ff3`;
  const code = runtime.replaceAll(' ', '');
  const size = (code.length / 2).toString(16);
  return `0x60${size}8060095f395ff3${code}`;
}

import { ApiError } from '../api.ts';
import type { Api } from '../api.ts';
import type {
  RpcAccount,
  RpcCallFrame,
  RpcFullBlock,
  RpcReceipt,
  RpcSlimBlock,
  RpcTransaction,
  StorageRange,
} from './rpc-types.ts';

/** A chain's JSON-RPC, carried by the control API: the page needs no way to the guest's port. */
export interface EthClient {
  /** undefined: there is no such block. */
  block(id: string): Promise<RpcFullBlock | undefined>;
  receiptsOf(blockNumber: string): Promise<readonly RpcReceipt[]>;
  headNumber(): Promise<number>;
  /** Blocks from `newest` down, `count` of them or to the first. */
  blocksDown(newest: number, count: number): Promise<readonly RpcSlimBlock[]>;
  transaction(hash: string): Promise<RpcTransaction | undefined>;
  receipt(hash: string): Promise<RpcReceipt | undefined>;
  trace(hash: string): Promise<RpcCallFrame>;
  account(address: string): Promise<RpcAccount>;
  /** @returns a word */
  storageAt(address: string, slot: string): Promise<string>;
  /** undefined: the chain can't list storage. */
  storageRange(address: string, from: string, count: number): Promise<StorageRange | undefined>;
}

export function ethClient(api: Api, guest: string, signal?: AbortSignal): EthClient {
  const ask = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
    const { result, error } = await api.exec(guest, method, params, signal);
    if (error !== undefined) throw new RpcFailure(method, error.code, error.message);
    return result as T;
  };
  const found = async <T>(answer: Promise<T | null>): Promise<T | undefined> =>
    (await answer) ?? undefined;
  return {
    block: (id) =>
      HASH.test(id)
        ? found(ask('eth_getBlockByHash', id, true))
        : found(ask('eth_getBlockByNumber', blockTag(id), true)),
    receiptsOf: (blockNumber) => ask('eth_getBlockReceipts', blockNumber),
    headNumber: async () => Number(await ask<string>('eth_blockNumber')),
    async blocksDown(newest, count) {
      const numbers = Array.from({ length: Math.min(count, newest + 1) }, (_, i) => newest - i);
      const blocks = await Promise.all(
        numbers.map((number) =>
          ask<RpcSlimBlock | null>('eth_getBlockByNumber', hex(number), false),
        ),
      );
      // A rewind may have taken some of them away meanwhile.
      return blocks.filter((block) => block !== null);
    },
    transaction: (hash) => found(ask('eth_getTransactionByHash', hash)),
    receipt: (hash) => found(ask('eth_getTransactionReceipt', hash)),
    trace: (hash) => ask('debug_traceTransaction', hash, { tracer: 'callTracer' }),
    async account(address) {
      const [balance, nonce, code] = await Promise.all([
        ask<string>('eth_getBalance', address, 'latest'),
        ask<string>('eth_getTransactionCount', address, 'latest'),
        ask<string>('eth_getCode', address, 'latest'),
      ]);
      return { balance: BigInt(balance), nonce: BigInt(nonce), code };
    },
    storageAt: (address, slot) => ask('eth_getStorageAt', address, slot, 'latest'),
    async storageRange(address, from, count) {
      try {
        const head = await ask<RpcSlimBlock>('eth_getBlockByNumber', 'latest', false);
        const index = head.transactions.length;
        return await ask('debug_storageRangeAt', head.hash, index, address, from, count);
      } catch (error) {
        if (error instanceof RpcFailure && NOT_KNOWN.includes(error.rpcCode)) return undefined;
        throw error;
      }
    },
  };
}

/** The error that a guest answered with, JSON-RPC's or the chain's own. */
export class RpcFailure extends ApiError {
  readonly rpcCode: number;

  constructor(method: string, rpcCode: number, message: string) {
    super(200, `${method} ${rpcCode}`, message);
    this.rpcCode = rpcCode;
  }
}

/** @param text a decimal or hex number, or a tag such as `latest` */
function blockTag(text: string): string {
  return /^\d+$/.test(text) ? hex(BigInt(text)) : text;
}

function hex(number: number | bigint): string {
  return `0x${number.toString(16)}`;
}

const HASH = /^0x[0-9a-f]{64}$/i;

/** Method not found, method not supported. @see EIP-1474 */
const NOT_KNOWN = [-32601, -32004];

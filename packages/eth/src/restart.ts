import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { PersistentMap } from '@polyvisor/store/map';
import type { Block } from './block.ts';
import { Pool } from './pool.ts';
import { nextBlockSettings } from './settings.ts';
import { type EthState, worldAt } from './state.ts';
import { encodeStoredBlock } from './stored-block.ts';

/**
 * The chain as its first block left it, with an empty pool and a clock that nobody moved. Chain id
 * and mining stay as they are. @throws EthError when the world of block 0 is no longer kept
 */
export function restart(state: EthState): EthState {
  const { block: head, world } = worldAt(state, 0n);
  return {
    head,
    world,
    blocks: PersistentMap.empty<Block | Uint8Array>().set('0', head),
    numbers: PersistentMap.empty<number>().set(bytesToLatin1(head.hash), 0),
    worlds: PersistentMap.empty(),
    transactions: PersistentMap.empty(),
    pool: Pool.empty,
    settings: {
      ...state.settings,
      ...nextBlockSettings,
      coinbase: head.header.coinbase,
      gasLimit: head.header.gasLimit,
      clockOffset: 0,
      timestampInterval: undefined,
      impersonated: PersistentMap.empty(),
      impersonatesAll: false,
    },
    blockBytes: encodeStoredBlock(head).length,
  };
}

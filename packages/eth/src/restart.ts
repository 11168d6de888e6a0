import { PersistentMap } from '@polyvisor/store/map';
import { chainOf } from './genesis.ts';
import { nextBlockSettings } from './settings.ts';
import { type EthState, worldAt } from './state.ts';

/**
 * The chain as its first block left it, with an empty pool and a clock that nobody moved. Chain id
 * and mining stay as they are. @throws EthError when the world of block 0 is no longer kept
 */
export function restart(state: EthState): EthState {
  const { block: head, world } = worldAt(state, 0n);
  return chainOf(head, world, {
    ...state.settings,
    ...nextBlockSettings,
    coinbase: head.header.coinbase,
    gasLimit: head.header.gasLimit,
    clockOffset: 0,
    timestampInterval: undefined,
    impersonated: PersistentMap.empty(),
    impersonatesAll: false,
  });
}

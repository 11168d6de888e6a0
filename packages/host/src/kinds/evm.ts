import { stateFromRows } from '@polyvisor/eth/rows';
import type { EthState } from '@polyvisor/eth/state';
import type { HostedGuest } from '../hosted-guest.ts';
import { developmentAccounts } from './evm-accounts.ts';
import { evmGenesis } from './evm-genesis.ts';
import { EvmInstance } from './evm-instance.ts';
import { resolveEvmOptions } from './evm-options.ts';
import type { EvmFaces, EvmOptions, ResolvedEvmOptions } from './evm-types.ts';
import type { GuestKind } from './kind.ts';

/** Ethereum chains. */
export const evmKind: GuestKind<EvmOptions, ResolvedEvmOptions, EthState, EvmFaces, EvmInstance> = {
  resolve: resolveEvmOptions,
  async create(options, context) {
    const accounts = await developmentAccounts(options);
    return new EvmInstance(options, evmGenesis(options, accounts), accounts, context);
  },
  async load(options, rows, context) {
    const state = stateFromRows(rows, options);
    return new EvmInstance(options, state, await developmentAccounts(options), context);
  },
  async fork(options, state, context) {
    return new EvmInstance(options, state, await developmentAccounts(options), context);
  },
  forkOptions: (options) => ({
    ...options,
    port: options.port === undefined ? undefined : 0,
  }),
  loadState: (options, rows) => stateFromRows(rows, options),
  faces: evmFaces,
};

function evmFaces(instance: EvmInstance, guest: HostedGuest): EvmFaces {
  const { provider } = instance;
  return {
    provider,
    accounts: instance.developmentAccounts(),
    client: {
      mine: async (count) => BigInt(await guest.mine(count)),
      warp: async (seconds) => BigInt(await guest.warp(seconds)),
      snapshot: async () => (await guest.exec('evm_snapshot')) as string,
      revert: async (id) => (await guest.exec('evm_revert', id)) as boolean,
      async setBalance(address, wei) {
        await guest.exec('hardhat_setBalance', address, `0x${wei.toString(16)}`);
      },
    },
  };
}

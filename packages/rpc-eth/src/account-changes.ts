import { bigIntToBytes } from '@polyvisor/bytes/bytes';
import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { Overlay } from '@polyvisor/eth/overlay';
import { blockHashes } from '@polyvisor/eth/state';
import { set } from './clock.ts';
import { type Method, method } from './method.ts';
import { type EthNode, change } from './node.ts';
import { address, data, flag, invalidParams, wholeNumber } from './parameters.ts';

const UINT256_MAX = (1n << 256n) - 1n;
const NONCE_MAX = (1n << 64n) - 2n;

export const accountChangeMethods: readonly Method[] = [
  method({
    name: 'anvil_setBalance',
    aliases: ['hardhat_setBalance', 'evm_setAccountBalance'],
    summary: 'Gives an account a balance, in wei.',
    parameters: [address, wholeNumber],
    answer: (node, [account, balance]) =>
      changeWorld(node, (world) => world.setBalance(account, balance)),
  }),
  method({
    name: 'anvil_addBalance',
    aliases: ['hardhat_addBalance'],
    summary: 'Adds to the balance of an account, in wei.',
    parameters: [address, wholeNumber],
    answer: (node, [account, amount]) =>
      changeWorld(node, (world) => {
        const sum = (world.account(account)?.balance ?? 0n) + amount;
        world.setBalance(account, sum < UINT256_MAX ? sum : UINT256_MAX);
      }),
  }),
  method({
    name: 'anvil_setCode',
    aliases: ['hardhat_setCode', 'evm_setAccountCode'],
    summary: 'Gives an account code.',
    parameters: [address, data],
    answer: (node, [account, code]) => changeWorld(node, (world) => world.setCode(account, code)),
  }),
  method({
    name: 'anvil_setNonce',
    aliases: ['hardhat_setNonce', 'evm_setAccountNonce'],
    summary: 'Sets the next nonce of an account.',
    parameters: [address, wholeNumber],
    answer: (node, [account, nonce]) => {
      if (nonce > NONCE_MAX) throw invalidParams('invalid argument 1: nonce has max value');
      return changeWorld(node, (world) => world.setNonce(account, nonce));
    },
  }),
  method({
    name: 'anvil_setStorageAt',
    aliases: ['hardhat_setStorageAt', 'evm_setAccountStorageAt'],
    summary: 'Sets a storage slot of an account.',
    parameters: [address, wholeNumber, wholeNumber],
    answer: async (node, [account, slot, value]) => {
      await changeWorld(node, (world) => world.setStorage(account, bigIntToBytes(slot, 32), value));
      return true;
    },
  }),
  method({
    name: 'anvil_impersonateAccount',
    aliases: ['hardhat_impersonateAccount'],
    summary: 'Lets eth_sendTransaction send as an account without its key.',
    parameters: [address],
    answer: (node, [account]) =>
      set(node, ({ impersonated }) => ({
        impersonated: impersonated.set(bytesToLatin1(account), true),
      })),
  }),
  method({
    name: 'anvil_stopImpersonatingAccount',
    aliases: ['hardhat_stopImpersonatingAccount'],
    summary: 'Ends anvil_impersonateAccount.',
    parameters: [address],
    answer: (node, [account]) =>
      set(node, ({ impersonated }) => ({
        impersonated: impersonated.delete(bytesToLatin1(account)),
      })),
  }),
  method({
    name: 'anvil_autoImpersonateAccount',
    aliases: ['hardhat_autoImpersonateAccount'],
    summary: 'Lets eth_sendTransaction send as any account.',
    parameters: [flag],
    answer: (node, [impersonatesAll]) => set(node, { impersonatesAll }),
  }),
];

/** Changes accounts as no transaction would: the next block builds on it. */
async function changeWorld(node: EthNode, edit: (world: Overlay) => void): Promise<null> {
  await change(node, (state) => {
    const overlay = new Overlay(state.world, blockHashes(state));
    edit(overlay);
    return { ...state, world: overlay.commit() };
  });
  return null;
}

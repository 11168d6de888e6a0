import { EthError } from '@polyvisor/eth/errors';
import { isAtLeast } from '@polyvisor/evm/hardfork';
import { rpcCodes } from '@polyvisor/rpc/rpc-error';
import { set } from './clock.ts';
import { type Method, method } from './method.ts';
import { address, count, hash32, invalidParams, wholeNumber } from './parameters.ts';

export const nextBlockMethods: readonly Method[] = [
  method({
    name: 'anvil_setCoinbase',
    aliases: ['hardhat_setCoinbase', 'miner_setEtherbase'],
    summary: 'Account that the next blocks pay.',
    parameters: [address],
    answer: (node, [coinbase]) => set(node, { coinbase }),
  }),
  method({
    name: 'anvil_setChainId',
    summary: 'Another chain id, from the next transaction on.',
    parameters: [count],
    answer: (node, [chainId]) => {
      if (chainId === 0) throw invalidParams('invalid argument 0: a chain id is 1 at least');
      return set(node, { chainId: BigInt(chainId) });
    },
  }),
  method({
    name: 'anvil_setPrevRandao',
    aliases: ['hardhat_setPrevRandao'],
    summary: 'What PREVRANDAO gives in the next block.',
    parameters: [hash32],
    answer: (node, [nextPrevRandao]) => set(node, { nextPrevRandao }),
  }),
  method({
    name: 'anvil_setNextBlockBaseFeePerGas',
    aliases: ['hardhat_setNextBlockBaseFeePerGas'],
    summary: 'Base fee of the next block, in wei.',
    parameters: [wholeNumber],
    answer: (node, [nextBaseFee]) => {
      if (!isAtLeast(node.machine.hardfork, 'london')) {
        throw new EthError(`there is no base fee in ${node.machine.hardfork}`);
      }
      return set(node, { nextBaseFee });
    },
  }),
  method({
    name: 'anvil_setMinGasPrice',
    aliases: ['hardhat_setMinGasPrice'],
    summary: 'Not supported: since London the base fee says what a transaction pays at least.',
    parameters: [wholeNumber],
    answer: () => {
      throw new EthError(
        'a minimum gas price is not supported: the base fee says what a transaction pays at least',
        rpcCodes.methodNotSupported,
      );
    },
  }),
];

import { bytesToHex } from '@polyvisor/bytes/hex';
import { outputOf } from '@polyvisor/eth/calls';
import { blockId } from './block-id.ts';
import { type Method, method } from './method.ts';
import { optional } from './parameters.ts';
import { blockOverrides, callRequest, overridesOf, stateOverrides } from './request-parameters.ts';
import { accessListView, quantityView } from './views.ts';

const block = optional(blockId, 'latest');

/**
 * Where gas is estimated: in the block that the transaction will be in. A contract may spend more
 * there than in the head, whose time it has seen: a pair of Uniswap v2 does.
 */
const nextBlock = optional(blockId, 'pending');

export const callMethods: readonly Method[] = [
  method({
    name: 'eth_call',
    summary:
      'Executes a message without leaving anything behind; the state and block may be overridden.',
    parameters: [callRequest, block, optional(stateOverrides), optional(blockOverrides)],
    answer: async (node, [request, id, accounts, environment]) => {
      const task = node.machine.call(request, id, overridesOf(accounts, environment));
      return bytesToHex(outputOf(await node.settle(task)));
    },
  }),
  method({
    name: 'eth_estimateGas',
    summary: 'Gas with which a message succeeds.',
    parameters: [callRequest, nextBlock, optional(stateOverrides), optional(blockOverrides)],
    answer: async (node, [request, id, accounts, environment]) => {
      const task = node.machine.estimateGas(request, id, overridesOf(accounts, environment));
      return quantityView(await node.settle(task));
    },
  }),
  method({
    name: 'eth_createAccessList',
    summary: 'Accounts and slots that a message touches, and the gas it uses with them listed.',
    parameters: [callRequest, block],
    answer: async (node, [request, id]) => {
      const found = await node.settle(node.machine.createAccessList(request, id));
      return {
        accessList: accessListView(found.accessList),
        ...(found.error === undefined ? {} : { error: found.error }),
        gasUsed: quantityView(found.gasUsed),
      };
    },
  }),
];

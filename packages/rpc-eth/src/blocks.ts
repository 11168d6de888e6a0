import { type BlockId, blockOf } from '@polyvisor/eth/state';
import { blockId, blockNumberOrTag } from './block-id.ts';
import { type Method, method } from './method.ts';
import type { EthNode } from './node.ts';
import { flag, hash32, optional, uint64 } from './parameters.ts';
import { blockView, headerView, pendingBlockView, quantityView, receiptView } from './views.ts';

const isFull = optional(flag, false);

export const blockMethods: readonly Method[] = [
  method({
    name: 'eth_getBlockByNumber',
    summary:
      'A block by number or tag, its transactions whole or as hashes; null where there is none.',
    parameters: [blockNumberOrTag, isFull],
    answer: (node, [id, full]) => getBlock(node, id, full),
  }),
  method({
    name: 'eth_getBlockByHash',
    summary: 'A block by hash; null where there is none.',
    parameters: [hash32, isFull],
    answer: (node, [hash, full]) => getBlock(node, hash, full),
  }),
  method({
    name: 'eth_getHeaderByNumber',
    summary: "A block's header by number or tag; null where there is none.",
    parameters: [blockNumberOrTag],
    answer: ({ machine }, [id]) => header(blockOf(machine.state, id)),
  }),
  method({
    name: 'eth_getHeaderByHash',
    summary: "A block's header by hash; null where there is none.",
    parameters: [hash32],
    answer: ({ machine }, [hash]) => header(blockOf(machine.state, hash)),
  }),
  method({
    name: 'eth_getBlockTransactionCountByNumber',
    summary: 'How many transactions a block has.',
    parameters: [blockNumberOrTag],
    answer: (node, [id]) => transactionCount(node, id),
  }),
  method({
    name: 'eth_getBlockTransactionCountByHash',
    summary: 'How many transactions a block has.',
    parameters: [hash32],
    answer: (node, [hash]) => transactionCount(node, hash),
  }),
  method({
    name: 'eth_getBlockReceipts',
    summary: 'Receipts of all transactions of a block; null where there is no such block.',
    parameters: [blockId],
    answer: ({ machine }, [id]) => {
      const block = blockOf(machine.state, id);
      if (!block) return null;
      return block.receipts.map((receipt, index) =>
        receiptView({ tx: block.transactions[index]!, receipt, block, index }),
      );
    },
  }),
  method({
    name: 'eth_getUncleCountByBlockNumber',
    summary: 'Always 0 for a block that there is.',
    parameters: [blockNumberOrTag],
    answer: ({ machine }, [id]) => (blockOf(machine.state, id) ? '0x0' : null),
  }),
  method({
    name: 'eth_getUncleCountByBlockHash',
    summary: 'Always 0 for a block that there is.',
    parameters: [hash32],
    answer: ({ machine }, [hash]) => (blockOf(machine.state, hash) ? '0x0' : null),
  }),
  method({
    name: 'eth_getUncleByBlockNumberAndIndex',
    summary: 'Always null: blocks have no uncles since Paris.',
    parameters: [blockNumberOrTag, uint64],
    answer: () => null,
  }),
  method({
    name: 'eth_getUncleByBlockHashAndIndex',
    summary: 'Always null: blocks have no uncles since Paris.',
    parameters: [hash32, uint64],
    answer: () => null,
  }),
];

function getBlock(node: EthNode, id: BlockId, full: boolean): unknown {
  const { machine } = node;
  if (id === 'pending') {
    return node.settle(machine.pendingBlock()).then(({ block }) => pendingBlockView(block, full));
  }
  const block = blockOf(machine.state, id);
  return block ? blockView(block, full) : null;
}

function header(block: ReturnType<typeof blockOf>): unknown {
  return block ? headerView(block.header, block.hash) : null;
}

function transactionCount(node: EthNode, id: BlockId): unknown {
  const { machine } = node;
  if (id === 'pending') {
    const pending = node.settle(machine.pendingBlock());
    return pending.then(({ block }) => quantityView(block.transactions.length));
  }
  const block = blockOf(machine.state, id);
  return block ? quantityView(block.transactions.length) : null;
}

import { bytesToHex } from '@polyvisor/bytes/hex';
import {
  type BlockId,
  type EthState,
  type MinedTransaction,
  blockOf,
  transactionOf,
  worldAt,
} from '@polyvisor/eth/state';
import { blockId, blockNumberOrTag } from './block-id.ts';
import { type Method, method } from './method.ts';
import { address, hash32, uint64 } from './parameters.ts';
import { pendingTransactionView, receiptView, transactionView } from './views.ts';

export const transactionMethods: readonly Method[] = [
  method({
    name: 'eth_getTransactionByHash',
    summary: 'A transaction, mined or waiting; null where there is none.',
    parameters: [hash32],
    answer: ({ machine }, [hash]) => {
      const mined = transactionOf(machine.state, hash);
      if (mined) return transactionView(mined);
      const waiting = machine.state.pool.get(hash);
      return waiting ? pendingTransactionView(waiting) : null;
    },
  }),
  method({
    name: 'eth_getTransactionByBlockHashAndIndex',
    summary: 'A transaction by its place in a block; null where there is none.',
    parameters: [hash32, uint64],
    answer: ({ machine }, [hash, index]) => at(machine.state, hash, index),
  }),
  method({
    name: 'eth_getTransactionByBlockNumberAndIndex',
    summary: 'A transaction by its place in a block; null where there is none.',
    parameters: [blockNumberOrTag, uint64],
    answer: ({ machine }, [id, index]) => at(machine.state, id, index),
  }),
  method({
    name: 'eth_getTransactionBySenderAndNonce',
    summary:
      'The transaction of a sender with a nonce, mined or waiting; null where there is none.',
    parameters: [address, uint64],
    answer: ({ machine }, [sender, nonce]) => {
      const entries = machine.state.pool.of(sender);
      const waiting = entries.find(({ tx }) => tx.nonce === nonce);
      if (waiting) return pendingTransactionView(waiting.tx);
      const mined = bySenderAndNonce(machine.state, sender, nonce, machine.options.historyBlocks);
      return mined ? transactionView(mined) : null;
    },
  }),
  method({
    name: 'eth_getTransactionReceipt',
    summary: 'What became of a mined transaction; null while it is not mined.',
    parameters: [hash32],
    answer: ({ machine }, [hash]) => {
      const mined = transactionOf(machine.state, hash);
      return mined ? receiptView(mined) : null;
    },
  }),
  method({
    name: 'eth_getRawTransactionByHash',
    aliases: ['debug_getRawTransaction'],
    summary: 'The encoding of a transaction, mined or waiting; 0x where there is none.',
    parameters: [hash32],
    answer: ({ machine: { state } }, [hash]) => {
      const tx = transactionOf(state, hash)?.tx ?? state.pool.get(hash);
      return tx ? bytesToHex(tx.raw) : '0x';
    },
  }),
  method({
    name: 'eth_getRawTransactionByBlockHashAndIndex',
    aliases: ['eth_getRawTransactionByBlockNumberAndIndex'],
    summary: 'The encoding of a transaction by its place in a block; 0x where there is none.',
    parameters: [blockId, uint64],
    answer: ({ machine }, [id, index]) => {
      const tx = blockOf(machine.state, id)?.transactions[Number(index)];
      return tx ? bytesToHex(tx.raw) : '0x';
    },
  }),
];

function at(state: EthState, id: BlockId, place: bigint): unknown {
  const block = blockOf(state, id);
  const index = Number(place);
  const tx = block?.transactions[index];
  return block && tx ? transactionView({ tx, block, index }) : null;
}

/**
 * Finds a mined transaction where the sender's nonce passes the wanted one: a binary search over
 * the worlds that are kept. Older ones are not found.
 */
function bySenderAndNonce(
  state: EthState,
  sender: Uint8Array,
  nonce: bigint,
  historyBlocks: number,
): Pick<MinedTransaction, 'tx' | 'block' | 'index'> | undefined {
  const nonceBehind = (id: bigint): bigint => worldAt(state, id).world.account(sender)?.nonce ?? 0n;
  let high = state.head.header.number;
  let low = high - BigInt(historyBlocks) + 1n;
  if (low < 0n) low = 0n;
  if (nonceBehind(high) <= nonce || nonceBehind(low) > nonce) return undefined;
  while (low + 1n < high) {
    const middle = (low + high) / 2n;
    if (nonceBehind(middle) > nonce) high = middle;
    else low = middle;
  }
  const block = blockOf(state, high)!;
  const sought = bytesToHex(sender);
  const index = block.transactions.findIndex(
    (tx) => tx.nonce === nonce && bytesToHex(tx.sender) === sought,
  );
  const tx = block.transactions[index];
  return tx && { tx, block, index };
}

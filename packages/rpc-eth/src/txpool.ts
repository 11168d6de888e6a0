import { checksumAddress } from '@polyvisor/eth/checksum-address';
import type { EthState } from '@polyvisor/eth/state';
import type { Transaction } from '@polyvisor/eth/transaction';
import { type Method, method } from './method.ts';
import { address } from './parameters.ts';
import { type Json, pendingTransactionView, quantityView } from './views.ts';

export const txpoolMethods: readonly Method[] = [
  method({
    name: 'txpool_status',
    summary: 'How many transactions wait: those that could be next, and those behind a gap.',
    answer: ({ machine }) => {
      let pending = 0;
      for (const [first] of machine.state.pool.senders()) {
        pending += sorted(machine.state, first!.tx.sender).pending.length;
      }
      return {
        pending: quantityView(pending),
        queued: quantityView(machine.state.pool.size - pending),
      };
    },
  }),
  method({
    name: 'txpool_content',
    summary: 'All waiting transactions, by sender and nonce.',
    answer: ({ machine }) => content(machine.state, pendingTransactionView),
  }),
  method({
    name: 'txpool_contentFrom',
    summary: "A sender's waiting transactions, by nonce.",
    parameters: [address],
    answer: ({ machine }, [sender]) => {
      const { pending, queued } = sorted(machine.state, sender);
      return {
        pending: byNonce(pending, pendingTransactionView),
        queued: byNonce(queued, pendingTransactionView),
      };
    },
  }),
  method({
    name: 'txpool_inspect',
    summary: 'All waiting transactions in words, by sender and nonce.',
    answer: ({ machine }) => content(machine.state, inWords),
  }),
];

interface Waiting {
  /** Could be in the next blocks: their nonces follow the account's without a gap. */
  readonly pending: readonly Transaction[];
  readonly queued: readonly Transaction[];
}

function sorted({ pool, world }: EthState, sender: Uint8Array): Waiting {
  const next = pool.nextNonce(sender, world.account(sender)?.nonce ?? 0n);
  const all = pool.of(sender).map(({ tx }) => tx);
  return {
    pending: all.filter((tx) => tx.nonce < next),
    queued: all.filter((tx) => tx.nonce >= next),
  };
}

function content(state: EthState, view: (tx: Transaction) => Json): Json {
  const pending: Record<string, Json> = {};
  const queued: Record<string, Json> = {};
  for (const [first] of state.pool.senders()) {
    const { sender } = first!.tx;
    const waiting = sorted(state, sender);
    const name = checksumAddress(sender);
    if (waiting.pending.length > 0) pending[name] = byNonce(waiting.pending, view);
    if (waiting.queued.length > 0) queued[name] = byNonce(waiting.queued, view);
  }
  return { pending, queued };
}

function byNonce(transactions: readonly Transaction[], view: (tx: Transaction) => Json): Json {
  return Object.fromEntries(transactions.map((tx) => [tx.nonce.toString(), view(tx)]));
}

/** @see go-ethereum, internal/ethapi/api.go, TxPoolAPI.Inspect */
function inWords(tx: Transaction): string {
  const to = tx.to ? checksumAddress(tx.to) : 'contract creation';
  return `${to}: ${tx.value} wei + ${tx.gasLimit} gas × ${tx.maxFeePerGas} wei`;
}

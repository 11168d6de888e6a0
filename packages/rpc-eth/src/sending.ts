import { bytesToHex } from '@polyvisor/bytes/hex';
import { EthError } from '@polyvisor/eth/errors';
import type { Submission } from '@polyvisor/eth/machine';
import { transactionOf } from '@polyvisor/eth/state';
import {
  type Transaction,
  type UnsignedTransaction,
  encodeTransaction,
  signTransaction,
} from '@polyvisor/eth/transaction';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { keyOf } from './keys.ts';
import { type Method, method } from './method.ts';
import type { EthNode } from './node.ts';
import { count, data, optional } from './parameters.ts';
import { type RequestedTransaction, transactionRequest } from './request-parameters.ts';
import { pendingTransactionView, receiptView } from './views.ts';

/**
 * How long `eth_sendRawTransactionSync` waits when it is not told, and at most.
 * @see go-ethereum, eth/ethconfig
 */
const SYNC_TIMEOUT_MS = 20_000;
const SYNC_TIMEOUT_MS_MAX = 60_000;
/** @see EIP-7966 */
const SYNC_TIMEOUT_CODE = 4;

export const sendingMethods: readonly Method[] = [
  method({
    name: 'eth_sendRawTransaction',
    summary: 'Takes a signed transaction. With instant mining it is mined when the answer comes.',
    parameters: [data],
    answer: (node, [raw]) => taken(node, node.machine.submit(raw)),
  }),
  method({
    name: 'eth_sendRawTransactionSync',
    summary: 'Takes a signed transaction and answers with its receipt (EIP-7966).',
    parameters: [data, optional(count, SYNC_TIMEOUT_MS)],
    answer: async (node, [raw, timeoutMs]) => {
      const { hash, mining } = node.machine.submit(raw);
      if (mining) await node.settle(mining);
      await mined(node, hash, Math.min(timeoutMs, SYNC_TIMEOUT_MS_MAX));
      await node.committed();
      return receiptView(transactionOf(node.machine.state, hash)!);
    },
  }),
  method({
    name: 'eth_sendTransaction',
    summary:
      'Signs with a key of the node or sends as an impersonated account; fills in what is missing.',
    parameters: [transactionRequest],
    answer: async (node, [requested]) => {
      const { from } = requested.request;
      const key = from && keyOf(node, from);
      if (!from || (!key && !node.machine.mayImpersonate(from))) {
        throw new EthError('unknown account');
      }
      const fields = await filled(node, requested);
      const tx = withNonce(node, fields, requested);
      const submission = key
        ? node.machine.submitSigned(signTransaction(tx, key, from))
        : node.machine.submitUnsigned(tx, from);
      return await taken(node, submission);
    },
  }),
  method({
    name: 'eth_sendUnsignedTransaction',
    summary: 'Sends as any account, without a signature.',
    parameters: [transactionRequest],
    answer: async (node, [requested]) => {
      const { from } = requested.request;
      if (!from) throw new EthError('unknown account');
      const fields = await filled(node, requested);
      const tx = withNonce(node, fields, requested);
      return await taken(node, node.machine.submitUnsigned(tx, from));
    },
  }),
  method({
    name: 'eth_signTransaction',
    summary: 'A transaction, filled in and signed with a key of the node, as its encoding.',
    parameters: [transactionRequest],
    answer: async (node, [requested]) => {
      const { from } = requested.request;
      const key = from && keyOf(node, from);
      if (!key) throw new EthError('unknown account');
      return bytesToHex(signTransaction(await filled(node, requested), key, from).raw);
    },
  }),
  method({
    name: 'eth_fillTransaction',
    summary: 'A transaction with what was left out filled in, not signed.',
    parameters: [transactionRequest],
    answer: async (node, [requested]) => {
      const fields = await filled(node, requested);
      const raw = encodeTransaction(fields, 0, 0n, 0n);
      const sender = requested.request.from ?? new Uint8Array(20);
      const tx: Transaction = {
        ...fields,
        yParity: 0,
        r: 0n,
        s: 0n,
        raw,
        sender,
        hash: keccak256(raw),
      };
      return { raw: bytesToHex(raw), tx: pendingTransactionView(tx) };
    },
  }),
];

async function filled(
  node: EthNode,
  { request, chainId }: RequestedTransaction,
): Promise<UnsignedTransaction> {
  const own = node.machine.state.settings.chainId;
  if (chainId !== undefined && chainId !== own) {
    throw new EthError(`chainId does not match node's (have=${chainId}, want=${own})`);
  }
  return await node.settle(node.machine.fill(request));
}

/**
 * With the sender's next nonce, unless it is given. To be taken in the same turn as the transaction
 * is submitted, so that requests which overlap get nonces in a row.
 */
function withNonce(
  { machine }: EthNode,
  tx: UnsignedTransaction,
  { request: { from, nonce } }: RequestedTransaction,
): UnsignedTransaction {
  return from && nonce === undefined ? { ...tx, nonce: machine.pendingNonce(from) } : tx;
}

/** The hash of a transaction, once it is mined where it can be at once, and can't be lost. */
async function taken(node: EthNode, { hash, mining }: Submission): Promise<string> {
  if (mining) await node.settle(mining);
  await node.committed();
  return bytesToHex(hash);
}

/**
 * Resolves when a transaction is in a block. @throws EthError when it is not by then, or the
 * interface closes
 */
function mined({ machine, closed }: EthNode, hash: Uint8Array, timeoutMs: number): Promise<void> {
  const isMined = (): boolean => transactionOf(machine.state, hash) !== undefined;
  if (isMined()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      unlisten();
      closed.removeEventListener('abort', onClosed);
      settle();
    };
    const onClosed = (): void => end(() => reject(closed.reason));
    const unlisten = machine.on(() => isMined() && end(resolve));
    const timer = setTimeout(() => {
      const message =
        'The transaction was added to the transaction pool but ' +
        `wasn't processed in ${timeoutMs / 1000}s`;
      end(() => reject(new EthError(message, SYNC_TIMEOUT_CODE, bytesToHex(hash))));
    }, timeoutMs);
    closed.addEventListener('abort', onClosed);
  });
}

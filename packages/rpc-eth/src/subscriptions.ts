import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';
import { logRequest } from './logs.ts';
import { type Method, method, readArgument } from './method.ts';
import { anything, flag, invalidParams, optional, text } from './parameters.ts';
import type { Topic } from './subscription-book.ts';

export const subscriptionMethods: readonly Method[] = [
  method({
    name: 'eth_subscribe',
    summary: 'News over this connection: newHeads, logs, newPendingTransactions, syncing.',
    parameters: [text, optional(anything)],
    answer: ({ subscriptions }, [name, details], session) =>
      subscriptions.add(session, topicOf(name, details)),
  }),
  method({
    name: 'eth_unsubscribe',
    summary: 'Ends a subscription of this connection.',
    parameters: [text],
    answer: ({ subscriptions }, [id], session) => {
      if (subscriptions.remove(session, id)) return true;
      throw new RpcError(rpcCodes.invalidInput, 'subscription not found');
    },
  }),
];

function topicOf(name: string, details: unknown): Topic {
  switch (name) {
    case 'newHeads':
    case 'syncing':
      return { kind: name };
    case 'logs':
      return { kind: 'logs', query: readArgument(logRequest, details ?? {}, 1) };
    case 'newPendingTransactions':
      return { kind: name, isFull: readArgument(optional(flag, false), details, 1) };
    default:
      throw invalidParams(`no "${name}" subscription in eth namespace`);
  }
}

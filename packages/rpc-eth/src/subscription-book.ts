import { bytesToHex } from '@polyvisor/bytes/hex';
import { type LogQuery, matchingLogs } from '@polyvisor/eth/log-query';
import type { EthEvent } from '@polyvisor/eth/machine';
import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';
import type { RpcSession } from '@polyvisor/rpc/service';
import type { EthServiceContext } from './node.ts';
import { headerView, logView, pendingTransactionView } from './views.ts';

export type Topic =
  | { readonly kind: 'newHeads' }
  | { readonly kind: 'logs'; readonly query: LogQuery }
  | { readonly kind: 'newPendingTransactions'; readonly isFull: boolean }
  /** Never has news: nothing is synced from elsewhere. */
  | { readonly kind: 'syncing' };

type Notify = NonNullable<RpcSession['notify']>;

/**
 * What connections want to hear of, by subscription id. Nothing is told before it can't be lost.
 */
export class Subscriptions {
  readonly #context: EthServiceContext;
  readonly #maxOfSession: number;
  readonly #sessions = new Map<RpcSession, Map<string, { topic: Topic; notify: Notify }>>();
  readonly #unlisten: () => void;
  #told: Promise<void> = Promise.resolve();

  constructor(context: EthServiceContext, maxOfSession: number) {
    this.#context = context;
    this.#maxOfSession = maxOfSession;
    this.#unlisten = context.machine.on((event) => this.#hear(event));
  }

  /** @returns the new subscription's id */
  add(session: RpcSession, topic: Topic): string {
    const { notify } = session;
    // The words of geth over HTTP.
    if (!notify) throw new RpcError(rpcCodes.methodNotFound, 'notifications not supported');
    let own = this.#sessions.get(session);
    if (!own) {
      own = new Map();
      this.#sessions.set(session, own);
      session.onClose(() => this.#sessions.delete(session));
    }
    if (own.size >= this.#maxOfSession) {
      throw new RpcError(rpcCodes.limitExceeded, `more than ${this.#maxOfSession} subscriptions`);
    }
    const id = bytesToHex(this.#context.entropy(16));
    own.set(id, { topic, notify });
    return id;
  }

  remove(session: RpcSession, id: string): boolean {
    return this.#sessions.get(session)?.delete(id) ?? false;
  }

  dispose(): void {
    this.#unlisten();
    this.#sessions.clear();
  }

  #hear(event: EthEvent): void {
    if (this.#sessions.size === 0) return;
    const tell = (): void => this.#tell(event);
    // When committing fails the guest is at its end and the news is void; calls are told why.
    const ignore = (): void => {};
    this.#told = this.#told.then(() => this.#context.committed()).then(tell, ignore);
  }

  #tell(event: EthEvent): void {
    for (const own of this.#sessions.values()) {
      for (const [subscription, { topic, notify }] of own) {
        for (const result of newsFor(topic, event)) {
          notify('eth_subscription', { subscription, result });
        }
      }
    }
  }
}

function newsFor(topic: Topic, event: EthEvent): readonly unknown[] {
  if (event.kind === 'block') {
    const { block } = event;
    if (topic.kind === 'newHeads') return [headerView(block.header, block.hash)];
    if (topic.kind === 'logs') return matchingLogs(block, topic.query).map(logView);
  }
  if (event.kind === 'transaction' && topic.kind === 'newPendingTransactions') {
    return [topic.isFull ? pendingTransactionView(event.tx) : bytesToHex(event.tx.hash)];
  }
  return [];
}

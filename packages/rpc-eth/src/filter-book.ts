import { bytesToHex } from '@polyvisor/bytes/hex';
import type { EthEvent } from '@polyvisor/eth/machine';
import { type EthState, blockOf } from '@polyvisor/eth/state';
import type { Transaction } from '@polyvisor/eth/transaction';
import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';
import type { EthServiceLimits } from './limits.ts';
import { type LogRequest, logsBetween, requestedLogs } from './logs.ts';
import type { EthServiceContext } from './node.ts';
import { logView, pendingTransactionView } from './views.ts';

type Kind =
  | { readonly kind: 'blocks' }
  | { readonly kind: 'logs'; readonly request: LogRequest }
  | { readonly kind: 'transactions'; readonly isFull: boolean; held: Transaction[] };

interface Filter {
  readonly of: Kind;
  /** Number of the first block that was not told yet. */
  next: number;
  polledAtMs: number;
}

/**
 * What clients without a connection want to hear of, by id. Blocks and logs are read from the chain
 * when they are asked for, so an idle filter costs nothing; waiting transactions are held as they
 * come.
 */
export class Filters {
  readonly #context: EthServiceContext;
  readonly #limits: EthServiceLimits;
  readonly #filters = new Map<string, Filter>();
  readonly #unlisten: () => void;

  constructor(context: EthServiceContext, limits: EthServiceLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#unlisten = context.machine.on((event) => this.#hear(event));
  }

  /** @returns the new filter's id */
  add(of: Kind): string {
    const now = this.#context.nowMs();
    for (const [id, filter] of this.#filters) {
      if (now - filter.polledAtMs > this.#limits.filterIdleMs) this.#filters.delete(id);
    }
    if (this.#filters.size >= this.#limits.filters) {
      throw new RpcError(rpcCodes.limitExceeded, `more than ${this.#limits.filters} filters`);
    }
    const id = bytesToHex(this.#context.entropy(16));
    this.#filters.set(id, { of, next: this.#headNumber + 1, polledAtMs: now });
    return id;
  }

  remove(id: string): boolean {
    return this.#filters.delete(id);
  }

  /** What is new since the last time. */
  changes(id: string): readonly unknown[] {
    const filter = this.#use(id);
    const { state } = this.#context.machine;
    if (filter.of.kind === 'transactions') {
      const { held, isFull } = filter.of;
      filter.of.held = [];
      return held.map((tx) => (isFull ? pendingTransactionView(tx) : bytesToHex(tx.hash)));
    }
    const from = filter.next;
    const to = Math.min(this.#headNumber, from + this.#limits.polledBlocks - 1);
    if (from > to) return [];
    const changes =
      filter.of.kind === 'blocks'
        ? hashesBetween(state, from, to)
        : this.#newLogs(filter.of.request, from, to);
    filter.next = to + 1;
    return changes;
  }

  /** All logs that a log filter is for. */
  logs(id: string): unknown {
    const { of } = this.#use(id);
    if (of.kind !== 'logs') throw new RpcError(rpcCodes.invalidInput, 'filter not found');
    return requestedLogs(this.#context.machine.state, of.request, this.#limits);
  }

  dispose(): void {
    this.#unlisten();
    this.#filters.clear();
  }

  get #headNumber(): number {
    return Number(this.#context.machine.state.head.header.number);
  }

  #use(id: string): Filter {
    const filter = this.#filters.get(id);
    const now = this.#context.nowMs();
    if (!filter || now - filter.polledAtMs > this.#limits.filterIdleMs) {
      this.#filters.delete(id);
      throw new RpcError(rpcCodes.invalidInput, 'filter not found');
    }
    filter.polledAtMs = now;
    return filter;
  }

  #newLogs(request: LogRequest, from: number, to: number): unknown[] {
    const { fromBlock, toBlock } = request;
    const first = typeof fromBlock === 'bigint' ? Math.max(from, Number(fromBlock)) : from;
    const last = typeof toBlock === 'bigint' ? Math.min(to, Number(toBlock)) : to;
    const { state } = this.#context.machine;
    return logsBetween(state, request, first, last, this.#limits.logs).map(logView);
  }

  #hear(event: EthEvent): void {
    if (event.kind === 'transaction') this.#hold(event.tx);
    if (event.kind === 'restored') this.#stepBack();
  }

  #hold(tx: Transaction): void {
    for (const { of } of this.#filters.values()) {
      if (of.kind !== 'transactions') continue;
      if (of.held.length >= this.#limits.filterTransactions) of.held.shift();
      of.held.push(tx);
    }
  }

  /** Blocks that come behind an older head are new to everybody. */
  #stepBack(): void {
    const next = this.#headNumber + 1;
    for (const filter of this.#filters.values()) filter.next = Math.min(filter.next, next);
  }
}

function hashesBetween(state: EthState, from: number, to: number): string[] {
  const hashes: string[] = [];
  for (let number = from; number <= to; number++) {
    hashes.push(bytesToHex(blockOf(state, BigInt(number))!.hash));
  }
  return hashes;
}

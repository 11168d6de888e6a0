import { equalBytes } from '@polyvisor/bytes/bytes';
import type { Log } from '@polyvisor/evm/world';
import type { Block } from './block.ts';
import { bloomMayContain } from './bloom.ts';

/** Which logs somebody wants. @see execution-apis, eth_getLogs */
export interface LogQuery {
  /** Any of these; empty: all. */
  readonly addresses: readonly Uint8Array[];
  /** For each position any of these; empty: all. */
  readonly topics: readonly (readonly Uint8Array[])[];
}

/** A log and where it is. */
export interface LogEntry {
  readonly log: Log;
  readonly block: Block;
  readonly transactionIndex: number;
  /** In the block. */
  readonly logIndex: number;
}

export function logsOf(block: Block): LogEntry[] {
  let logIndex = 0;
  return block.receipts.flatMap((receipt, transactionIndex) =>
    receipt.logs.map((log) => ({ log, block, transactionIndex, logIndex: logIndex++ })),
  );
}

/** The logs of a block that a query asks for; the block's bloom filter rules most blocks out. */
export function matchingLogs(block: Block, query: LogQuery): LogEntry[] {
  if (!mayMatch(block.header.logsBloom, query)) return [];
  return logsOf(block).filter(({ log }) => matches(log, query));
}

export function matches(log: Log, { addresses, topics }: LogQuery): boolean {
  if (addresses.length > 0 && !addresses.some((address) => equalBytes(address, log.address))) {
    return false;
  }
  return topics.every((alternatives, i) => {
    const topic = log.topics[i];
    if (topic === undefined) return false;
    return alternatives.length === 0 || alternatives.some((wanted) => equalBytes(wanted, topic));
  });
}

function mayMatch(bloom: Uint8Array, { addresses, topics }: LogQuery): boolean {
  const hasAny = (values: readonly Uint8Array[]): boolean =>
    values.length === 0 || values.some((value) => bloomMayContain(bloom, value));
  return hasAny(addresses) && topics.every(hasAny);
}

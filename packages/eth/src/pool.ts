import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { PersistentMap } from '@polyvisor/store/map';
import { EthError } from './errors.ts';
import type { Transaction } from './transaction.ts';

export interface PooledTransaction {
  readonly tx: Transaction;
  /** Counts up: what came first has the lower one. */
  readonly arrival: number;
}

/** How much more a replacement must offer, in percent: of fees, and of fees for blobs. @see go-ethereum, core/txpool */
const REPLACEMENT_PERCENT = { 0: 10n, 1: 10n, 2: 10n, 3: 100n, 4: 10n } as const;

/** Transactions that wait for a block, as an immutable value: by sender in the order of their nonces, and by hash. */
export class Pool {
  readonly #senders: PersistentMap<readonly PooledTransaction[]>;
  readonly #hashes: PersistentMap<PooledTransaction>;
  readonly #arrivals: number;

  private constructor(
    senders: PersistentMap<readonly PooledTransaction[]>,
    hashes: PersistentMap<PooledTransaction>,
    arrivals: number,
  ) {
    this.#senders = senders;
    this.#hashes = hashes;
    this.#arrivals = arrivals;
  }

  static readonly empty: Pool = new Pool(PersistentMap.empty(), PersistentMap.empty(), 0);

  /** A pool as it was, from all its entries. */
  static of(entries: readonly PooledTransaction[]): Pool {
    let senders = PersistentMap.empty<readonly PooledTransaction[]>();
    let hashes = PersistentMap.empty<PooledTransaction>();
    let arrivals = 0;
    for (const entry of entries.toSorted((a, b) => (a.tx.nonce < b.tx.nonce ? -1 : 1))) {
      const sender = bytesToLatin1(entry.tx.sender);
      senders = senders.set(sender, [...(senders.get(sender) ?? []), entry]);
      hashes = hashes.set(bytesToLatin1(entry.tx.hash), entry);
      arrivals = Math.max(arrivals, entry.arrival + 1);
    }
    return new Pool(senders, hashes, arrivals);
  }

  /** By hash (latin1). */
  get entries(): PersistentMap<PooledTransaction> {
    return this.#hashes;
  }

  get size(): number {
    return this.#hashes.size;
  }

  get(hash: Uint8Array): Transaction | undefined {
    return this.#hashes.get(bytesToLatin1(hash))?.tx;
  }

  has(hash: Uint8Array): boolean {
    return this.#hashes.has(bytesToLatin1(hash));
  }

  /** In the order of arrival. */
  transactions(): Transaction[] {
    const all = Array.from(this.#hashes.entries(), ([, entry]) => entry);
    return all.toSorted((a, b) => a.arrival - b.arrival).map((entry) => entry.tx);
  }

  /** A sender's transactions in the order of their nonces. */
  of(sender: Uint8Array): readonly PooledTransaction[] {
    return this.#senders.get(bytesToLatin1(sender)) ?? [];
  }

  *senders(): IterableIterator<readonly PooledTransaction[]> {
    for (const [, entries] of this.#senders.entries()) yield entries;
  }

  /** The nonce behind the unbroken row of a sender's transactions that starts at `nonce`. */
  nextNonce(sender: Uint8Array, nonce: bigint): bigint {
    let next = nonce;
    for (const { tx } of this.of(sender)) if (tx.nonce === next) next++;
    return next;
  }

  /** With a transaction more; one of the same nonce is replaced. @throws EthError when it offers too little for that */
  with(tx: Transaction): Pool {
    if (this.has(tx.hash)) throw new EthError('already known');
    const sender = bytesToLatin1(tx.sender);
    const queue = this.of(tx.sender);
    const old = queue.find((entry) => entry.tx.nonce === tx.nonce);
    if (old && !outbids(tx, old.tx)) throw new EthError('replacement transaction underpriced');
    const entry = { tx, arrival: this.#arrivals };
    const others = queue.filter((other) => other !== old);
    const at = others.findIndex((other) => other.tx.nonce > tx.nonce);
    const entries = at < 0 ? [...others, entry] : others.toSpliced(at, 0, entry);
    const hashes = old ? this.#hashes.delete(bytesToLatin1(old.tx.hash)) : this.#hashes;
    return new Pool(
      this.#senders.set(sender, entries),
      hashes.set(bytesToLatin1(tx.hash), entry),
      this.#arrivals + 1,
    );
  }

  without(hashes: readonly Uint8Array[]): Pool {
    let [senders, byHash] = [this.#senders, this.#hashes];
    for (const hash of hashes) {
      const key = bytesToLatin1(hash);
      const entry = byHash.get(key);
      if (!entry) continue;
      byHash = byHash.delete(key);
      const sender = bytesToLatin1(entry.tx.sender);
      const rest = senders.get(sender)!.filter((other) => other !== entry);
      senders = rest.length === 0 ? senders.delete(sender) : senders.set(sender, rest);
    }
    return new Pool(senders, byHash, this.#arrivals);
  }
}

function outbids(tx: Transaction, old: Transaction): boolean {
  const percent = 100n + REPLACEMENT_PERCENT[old.type];
  const isMore = (price: bigint, before: bigint): boolean =>
    price * 100n >= before * percent && price > before;
  return (
    isMore(tx.maxFeePerGas, old.maxFeePerGas) &&
    isMore(tx.maxPriorityFeePerGas, old.maxPriorityFeePerGas) &&
    (old.type !== 3 || isMore(tx.maxFeePerBlobGas, old.maxFeePerBlobGas))
  );
}

import type { RequestRecord } from '@polyvisor/rpc/request-record';
import { Ring } from './ring.ts';

/** The newest requests that a guest's doors answered, for the console and for `polyvisor logs --rpc`. */
export class RequestLog {
  readonly #records = new Ring<RequestRecord>(REQUESTS_KEPT);
  #failed = 0;

  /** Requests answered so far. */
  get count(): number {
    return this.#records.count;
  }

  /** How many of them with an error. */
  get failed(): number {
    return this.#failed;
  }

  write(record: RequestRecord): void {
    if (record.error !== undefined) this.#failed++;
    this.#records.push(record);
  }

  /** Requests numbered above `after`, oldest first; the newest `limit`. */
  read(after?: number, limit?: number): NumberedRequest[] {
    const records = this.#records.since(after, limit);
    const first = this.count - records.length + 1;
    return records.map((record, index) => ({ number: first + index, ...record }));
  }

  follow(reader: (record: RequestRecord, number: number) => void): () => void {
    return this.#records.follow(reader);
  }
}

/** A request with its place in the log: 1 was the first. */
export interface NumberedRequest extends RequestRecord {
  readonly number: number;
}

const REQUESTS_KEPT = 512;

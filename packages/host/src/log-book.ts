import { Ring } from './ring.ts';

/**
 * What the host and its guests have to say, one record a line. The newest records are kept for readers
 * (`polyvisor logs`, the console); a sink, when one is given, gets every record as NDJSON.
 */
export class LogBook {
  readonly #records = new Ring<LogRecord>(RECORDS_KEPT);
  readonly #unixMs: () => number;

  constructor(unixMs: () => number) {
    this.#unixMs = unixMs;
  }

  write(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.#records.push({ time: this.#unixMs(), level, message, ...fields });
  }

  /** The newest `limit` records, of one guest or of all, oldest first. */
  read(query: LogQuery = {}): LogRecord[] {
    const kept = this.#records.since();
    const wanted = query.guest === undefined ? kept : kept.filter((r) => r.guest === query.guest);
    return wanted.slice(-(query.limit ?? RECORDS_KEPT));
  }

  /** Calls for each record from now on; the result ends it. */
  follow(query: LogQuery, reader: (record: LogRecord) => void): () => void {
    return this.#records.follow((record) => {
      if (query.guest === undefined || record.guest === query.guest) reader(record);
    });
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogFields {
  /** The guest's id; none: the host itself. */
  readonly guest?: string;
  readonly requestId?: string;
  readonly [field: string]: string | number | boolean | undefined;
}

export interface LogRecord extends LogFields {
  /** Unix milliseconds. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
}

export interface LogQuery {
  readonly guest?: string;
  readonly limit?: number;
}

const RECORDS_KEPT = 4096;

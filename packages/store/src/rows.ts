/**
 * The durable form of a machine's state: rows of bytes by table and key. Tables are named by letters, digits, `-`
 * and `.`; keys are latin1 text, a byte a character, so a hash is a key of 32 characters.
 */
export interface Change {
  readonly table: string;
  readonly key: string;
  /** Undefined: the row is gone. */
  readonly value: Uint8Array | undefined;
}

/** All rows, by table and key. */
export type Rows = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

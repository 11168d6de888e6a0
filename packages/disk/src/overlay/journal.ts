import { concatBytes, equalBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { assert } from '@polyvisor/errors/assert';
import { HostError } from '@polyvisor/errors/host-error';
import { contentHash } from '../content-hash.ts';
import type { FileDoor } from '../file-door.ts';

/**
 * A journal in two files, of which one is valid. Little-endian:
 * ```
 * header   magic 8 | version u32 | block bytes u32 | generation f64 | zeros 24 | checksum 16
 * record   length u32 | checksum 16 | payload
 * ```
 * A checksum is over the one before it and the payload, so a record counts only after those it was written after.
 * The journal ends before the first record that isn't whole: what a crash left of the last append. To begin anew,
 * all that matters is written to the other file, and its header, with a higher generation, last.
 */
export class Journal {
  readonly blockBytes: number;
  /** After a failed sync nobody knows what the files will be after a crash. */
  isBroken = false;
  readonly #files: readonly [FileDoor, FileDoor];
  #current: 0 | 1;
  #generation: number;
  /** Where the next record goes. */
  #end = HEADER_BYTES;
  /** Checksum of the last record, or of the header. */
  #chain: Uint8Array;

  private constructor(files: readonly [FileDoor, FileDoor], index: 0 | 1, header: Header) {
    this.#files = files;
    this.#current = index;
    this.blockBytes = header.blockBytes;
    this.#generation = header.generation;
    this.#chain = header.checksum;
  }

  /**
   * The journal in the files; undefined when neither has a header that is whole.
   * @throws HostError `disk-store-damaged` when it was made by a later version
   */
  static open(files: readonly [FileDoor, FileDoor]): Journal | undefined {
    const [first, second] = [readHeader(files[0]), readHeader(files[1])];
    if (!first && !second) return undefined;
    const isSecond = !first || (second !== undefined && second.generation > first.generation);
    return new Journal(files, isSecond ? 1 : 0, isSecond ? second! : first!);
  }

  /** An empty journal. */
  static create(files: readonly [FileDoor, FileDoor], blockBytes: number): Journal {
    const header = makeHeader(blockBytes, 1);
    files[0].resize(0);
    files[0].write(0, header.bytes);
    files[0].sync();
    return new Journal(files, 0, header);
  }

  /** Bytes of the valid file. */
  get bytes(): number {
    return this.#end;
  }

  /** All payloads, oldest first. What comes after the last whole record is cut off before anything is added. */
  *replay(): Generator<Uint8Array> {
    const file = this.#files[this.#current];
    for (;;) {
      const head = new Uint8Array(RECORD_HEAD_BYTES);
      file.read(this.#end, head);
      const length = new DataView(head.buffer).getUint32(0, true);
      if (length === 0 || this.#end + RECORD_HEAD_BYTES + length > file.bytes) break;
      const payload = new Uint8Array(length);
      file.read(this.#end + RECORD_HEAD_BYTES, payload);
      const sum = checksum(this.#chain, payload);
      if (!equalBytes(sum, head.subarray(4))) break;
      this.#chain = sum;
      this.#end += RECORD_HEAD_BYTES + length;
      yield payload;
    }
    if (file.bytes > this.#end) {
      file.resize(this.#end);
      file.sync();
    }
  }

  /** Adds a record, which is part of the journal once `sync` has returned. */
  append(payload: Uint8Array): void {
    const { record, sum } = makeRecord(this.#chain, payload);
    this.#files[this.#current].write(this.#end, record);
    this.#end += record.length;
    this.#chain = sum;
  }

  sync(): void {
    this.#orBroken(() => this.#files[this.#current].sync());
  }

  /** Begins anew with these payloads; durable when it returns. When it throws, it's what it was, or broken. */
  restart(payloads: Iterable<Uint8Array>): void {
    const other = this.#current === 0 ? 1 : 0;
    const file = this.#files[other];
    const header = makeHeader(this.blockBytes, this.#generation + 1);
    let end = HEADER_BYTES;
    let chain = header.checksum;
    file.resize(0);
    for (const payload of payloads) {
      const { record, sum } = makeRecord(chain, payload);
      file.write(end, record);
      end += record.length;
      chain = sum;
    }
    file.sync();
    this.#orBroken(() => {
      file.write(0, header.bytes);
      file.sync();
    });
    this.#files[this.#current].resize(0);
    this.#current = other;
    this.#generation++;
    this.#end = end;
    this.#chain = chain;
  }

  #orBroken(use: () => void): void {
    try {
      use();
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
  }
}

const MAGIC = utf8ToBytes('pvblocks');
const VERSION = 1;
const HEADER_BYTES = 64;
const CHECKSUM_BYTES = 16;
const RECORD_HEAD_BYTES = 4 + CHECKSUM_BYTES;

interface Header {
  readonly bytes: Uint8Array;
  readonly blockBytes: number;
  readonly generation: number;
  readonly checksum: Uint8Array;
}

function makeHeader(blockBytes: number, generation: number): Header {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, blockBytes, true);
  view.setFloat64(16, generation, true);
  const sum = checksum(bytes.subarray(0, HEADER_BYTES - CHECKSUM_BYTES), MAGIC);
  bytes.set(sum, HEADER_BYTES - CHECKSUM_BYTES);
  return { bytes, blockBytes, generation, checksum: sum };
}

function readHeader(file: FileDoor): Header | undefined {
  const bytes = new Uint8Array(HEADER_BYTES);
  file.read(0, bytes);
  const view = new DataView(bytes.buffer);
  const stored = bytes.subarray(HEADER_BYTES - CHECKSUM_BYTES);
  const sum = checksum(bytes.subarray(0, HEADER_BYTES - CHECKSUM_BYTES), MAGIC);
  if (!equalBytes(sum, stored) || !equalBytes(bytes.subarray(0, 8), MAGIC)) return undefined;
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw new HostError('disk-store-damaged', `a block store of version ${version}`);
  }
  const [blockBytes, generation] = [view.getUint32(12, true), view.getFloat64(16, true)];
  return { bytes, blockBytes, generation, checksum: sum };
}

function makeRecord(
  chain: Uint8Array,
  payload: Uint8Array,
): { readonly record: Uint8Array; readonly sum: Uint8Array } {
  assert(payload.length > 0 && payload.length < 2 ** 32, 'a record has a payload');
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, payload.length, true);
  const sum = checksum(chain, payload);
  return { record: concatBytes(length, sum, payload), sum };
}

function checksum(chain: Uint8Array, payload: Uint8Array): Uint8Array {
  return contentHash(concatBytes(chain, payload)).slice(0, CHECKSUM_BYTES);
}

import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { assert } from '@polyvisor/errors/assert';
import { HASH_BYTES } from '../content-hash.ts';
import { FAN_OUT } from './block-map.ts';

/** What a journal is made of; `disk` is the number of an overlay, `node` of a node of maps in this journal. */
export type Change =
  | { readonly kind: 'slot'; readonly slot: number; readonly hash: Uint8Array }
  | { readonly kind: 'set'; readonly disk: number; readonly block: number; readonly value: number }
  | {
      readonly kind: 'create';
      readonly disk: number;
      readonly name: string;
      readonly bytes: number;
      /** Infinity: none. */
      readonly quotaBytes: number;
      /** What the base is called; empty: there is none. */
      readonly base: string;
    }
  | {
      readonly kind: 'fork';
      readonly from: number;
      readonly disk: number;
      readonly name: string;
      readonly quotaBytes: number;
    }
  | { readonly kind: 'remove'; readonly disk: number }
  | { readonly kind: 'leaf' | 'inner'; readonly node: number; readonly entries: Uint32Array }
  | { readonly kind: 'root'; readonly disk: number; readonly node: number };

const KINDS = ['slot', 'set', 'create', 'fork', 'remove', 'leaf', 'inner', 'root'] as const;

/** Little-endian: a byte for the kind, then the fields in the order above; text has its length (u16) in front. */
export function encodeChanges(changes: Iterable<Change>): Uint8Array {
  const out = new Writer();
  for (const change of changes) {
    out.u8(KINDS.indexOf(change.kind));
    switch (change.kind) {
      case 'slot':
        out.u32(change.slot);
        out.bytes(change.hash);
        break;
      case 'set':
        out.u32(change.disk);
        out.u32(change.block);
        out.u32(change.value);
        break;
      case 'create':
        out.u32(change.disk);
        out.text(change.name);
        out.f64(change.bytes);
        out.f64(change.quotaBytes);
        out.text(change.base);
        break;
      case 'fork':
        out.u32(change.from);
        out.u32(change.disk);
        out.text(change.name);
        out.f64(change.quotaBytes);
        break;
      case 'remove':
        out.u32(change.disk);
        break;
      case 'leaf':
      case 'inner':
        out.u32(change.node);
        for (const entry of change.entries) out.u32(entry);
        break;
      case 'root':
        out.u32(change.disk);
        out.u32(change.node);
        break;
      default:
        change satisfies never;
    }
  }
  return out.take();
}

/** @throws RangeError when the bytes end too early; they were checked against a hash, so somebody made them so */
export function* decodeChanges(payload: Uint8Array): Generator<Change> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  let at = 0;
  const u32 = (): number => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const f64 = (): number => {
    at += 8;
    return view.getFloat64(at - 8, true);
  };
  const bytes = (length: number): Uint8Array => {
    if (at + length > payload.length) throw new RangeError('the changes end too early');
    at += length;
    return payload.subarray(at - length, at);
  };
  const text = (): string => {
    at += 2;
    return bytesToUtf8(bytes(view.getUint16(at - 2, true)));
  };
  while (at < payload.length) {
    const kind = KINDS[view.getUint8(at++)];
    switch (kind) {
      case 'slot':
        yield { kind, slot: u32(), hash: bytes(HASH_BYTES) };
        break;
      case 'set':
        yield { kind, disk: u32(), block: u32(), value: u32() };
        break;
      case 'create':
        yield { kind, disk: u32(), name: text(), bytes: f64(), quotaBytes: f64(), base: text() };
        break;
      case 'fork':
        yield { kind, from: u32(), disk: u32(), name: text(), quotaBytes: f64() };
        break;
      case 'remove':
        yield { kind, disk: u32() };
        break;
      case 'leaf':
      case 'inner': {
        const node = u32();
        const entries = new Uint32Array(FAN_OUT);
        for (let index = 0; index < FAN_OUT; index++) entries[index] = u32();
        yield { kind, node, entries };
        break;
      }
      case 'root':
        yield { kind, disk: u32(), node: u32() };
        break;
      case undefined:
        throw new RangeError('a change of no kind');
      default:
        kind satisfies never;
    }
  }
}

class Writer {
  #room = new Uint8Array(4096);
  #view = new DataView(this.#room.buffer);
  #length = 0;

  u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#room.set(value, at);
  }

  text(value: string): void {
    const encoded = utf8ToBytes(value);
    assert(encoded.length <= 0xffff, 'names are short');
    const at = this.#grow(2);
    this.#view.setUint16(at, encoded.length, true);
    this.bytes(encoded);
  }

  take(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#room.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#room.length * 2));
      larger.set(this.#room.subarray(0, at));
      this.#room = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

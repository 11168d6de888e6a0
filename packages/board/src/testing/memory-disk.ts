import { type BlockDevice, checkRange } from '@polyvisor/disk/block-device';

/** A disk of bytes in memory that counts what it is asked for. */
export class MemoryDisk implements BlockDevice {
  readonly contents: Uint8Array;
  flushes = 0;
  discards: [number, number][] = [];

  constructor(byteLength: number) {
    this.contents = new Uint8Array(byteLength);
  }

  get bytes(): number {
    return this.contents.length;
  }

  read(offset: number, into: Uint8Array): void {
    checkRange(this.bytes, offset, into.length);
    into.set(this.contents.subarray(offset, offset + into.length));
  }

  write(offset: number, from: Uint8Array): void {
    checkRange(this.bytes, offset, from.length);
    this.contents.set(from, offset);
  }

  flush(): void {
    this.flushes++;
  }

  discard(offset: number, length: number): void {
    this.discards.push([offset, length]);
  }
}

import { gzipSync } from 'node:zlib';

/** A file of an initial RAM disk. */
export interface InitrdEntry {
  readonly name: string;
  /** Kind and permissions, as `st_mode`. */
  readonly mode: number;
  readonly bytes?: Uint8Array;
  /** Major and minor number of a device node. */
  readonly device?: readonly [number, number];
}

/**
 * An archive that the kernel unpacks.
 * @see Linux, Documentation/driver-api/early-userspace/buffer-format.rst
 */
export function makeInitrd(entries: readonly InitrdEntry[]): Uint8Array {
  const parts = entries.map((entry, i) => record(entry, i + 1));
  return gzipSync(Buffer.concat([...parts, record({ name: 'TRAILER!!!', mode: 0 }, 0)]));
}

/**
 * "newc": thirteen numbers of eight hexadecimal digits, the name, the contents; each part filled up
 * to four bytes.
 */
function record(entry: InitrdEntry, inode: number): Buffer {
  const { name, mode, bytes = new Uint8Array(0), device = [0, 0] } = entry;
  const numbers = [
    inode, mode, /* uid, gid */ 0, 0, /* links */ 1, /* modified */ 0, bytes.length,
    /* of the file system */ 0, 0, ...device, name.length + 1, /* checksum */ 0,
  ]; // prettier-ignore
  const head = `070701${numbers.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.from(`${head}${name}\0`)), padded(bytes)]);
}

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array((bytes.length + 3) & ~3);
  out.set(bytes);
  return out;
}

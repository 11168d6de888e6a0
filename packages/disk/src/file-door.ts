/** A file of the host, as disks see it: bytes by position. Nothing else of a file system reaches this package. */
export interface FileDoor {
  /** Size now, in bytes. */
  readonly bytes: number;
  /** Fills `into`; what lies after the end reads as zeros. @throws HostError `disk-failed` */
  read(offset: number, into: Uint8Array): void;
  /** Writes all of `from`, and grows the file. @throws HostError `disk-quota` on a full disk, `disk-failed` */
  write(offset: number, from: Uint8Array): void;
  /** Cuts the file, or lengthens it with zeros. */
  resize(bytes: number): void;
  /** When it returns, what was written outlives the loss of power. */
  sync(): void;
  close(): void;
}

/** A file in memory: for tests, and where there are no files (a browser). */
export function memoryFile(content: Uint8Array = new Uint8Array(0)): FileDoor {
  let room = content.slice();
  let size = content.length;
  const resize = (bytes: number): void => {
    if (bytes > room.length) {
      const larger = new Uint8Array(Math.max(bytes, room.length * 2));
      larger.set(room.subarray(0, size));
      room = larger;
    }
    // What is cut off must read as zeros if the file grows again.
    if (bytes < size) room.fill(0, bytes, size);
    size = bytes;
  };
  return {
    get bytes() {
      return size;
    },
    read(offset, into) {
      const found = room.subarray(Math.min(offset, size), Math.min(offset + into.length, size));
      into.set(found);
      into.fill(0, found.length);
    },
    write(offset, from) {
      if (offset + from.length > size) resize(offset + from.length);
      room.set(from, offset);
    },
    resize,
    sync() {},
    close() {},
  };
}

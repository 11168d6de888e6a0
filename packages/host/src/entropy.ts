import { closeSync, openSync, readSync } from 'node:fs';

/** The operating system's own source of random bytes, where it is a file. @see random(4) */
const SOURCE = '/dev/urandom';

/**
 * Random bytes from the operating system, fit for tokens. Node's `crypto` would ask the same source, but takes
 * milliseconds to load, which every start would wait for.
 */
export function systemEntropy(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let file: number;
  try {
    file = openSync(SOURCE, 'r');
  } catch {
    return process.getBuiltinModule('node:crypto').randomFillSync(bytes);
  }
  try {
    for (let read = 0; read < length;) read += readSync(file, bytes, read, length - read, null);
  } finally {
    closeSync(file);
  }
  return bytes;
}

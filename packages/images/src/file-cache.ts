import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Files by the SHA-256 of their content, in a directory of the host. What is damaged there is as if it weren't. */
export class FileCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  get(sha256: string): Uint8Array | undefined {
    try {
      const bytes = readFileSync(join(this.#directory, sha256));
      return sha256Hex(bytes) === sha256 ? bytes : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The file is there whole or not at all, whoever else writes it. */
  put(sha256: string, bytes: Uint8Array): void {
    const part = join(this.#directory, `${sha256}.${randomUUID()}`);
    writeFileSync(part, bytes);
    renameSync(part, join(this.#directory, sha256));
  }
}

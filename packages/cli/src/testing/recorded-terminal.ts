import type { Terminal } from '../terminal.ts';

/** A terminal that keeps what was printed. It has no colours, and nobody types, unless `keys` are pressed. */
export class RecordedTerminal implements Terminal {
  readonly printed: string[] = [];
  readonly warned: string[] = [];
  readonly isInteractive: boolean;
  /** What standard input has. */
  piped = '';
  #onKey: ((key: string) => void) | undefined;
  #onPrint: (() => void) | undefined;

  constructor({ isInteractive = false } = {}) {
    this.isInteractive = isInteractive;
  }

  get output(): string {
    return this.printed.join('\n');
  }

  /** The only line printed, as JSON. */
  get json(): unknown {
    return JSON.parse(this.output);
  }

  print(text: string): void {
    this.printed.push(text);
    this.#onPrint?.();
  }

  warn(text: string): void {
    this.warned.push(text);
  }

  write(bytes: Uint8Array): void {
    this.print(Buffer.from(bytes).toString('latin1'));
  }

  writeError(bytes: Uint8Array): void {
    this.warn(Buffer.from(bytes).toString('latin1'));
  }

  async readAll(): Promise<Buffer> {
    return Buffer.from(this.piped);
  }

  overwrite(): void {}

  style(_: string, text: string): string {
    return text;
  }

  onKey(listener: (key: string) => void): () => void {
    this.#onKey = listener;
    return () => {
      this.#onKey = undefined;
    };
  }

  onInput(listener: (bytes: Uint8Array) => void): () => void {
    return this.onKey((key) => listener(Buffer.from(key)));
  }

  press(key: string): void {
    this.#onKey?.(key);
  }

  /** Resolves once what was printed matches. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onPrint = resolve;
      await promise;
    }
  }
}

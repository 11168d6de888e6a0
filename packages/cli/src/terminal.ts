import { styleText } from 'node:util';

/** Where a command prints and reads. Tests give one of their own. */
export interface Terminal {
  /** Prints a line, or lines, to standard output. */
  print(text: string): void;
  /** To standard error. */
  warn(text: string): void;
  /** Bytes to standard output, as they are. */
  write(bytes: Uint8Array): void;
  /** The same to standard error. */
  writeError(bytes: Uint8Array): void;
  /** What is typed or piped in, to its end. */
  readAll(): Promise<Buffer>;
  /** Writes over the line the cursor is in. Only where `isInteractive`. */
  overwrite(text: string): void;
  /** The text in a style, where standard output shows colours. */
  style(style: Style, text: string): string;
  /** A person reads and types: standard input and output are a terminal. */
  readonly isInteractive: boolean;
  /** Calls for each key until the returned function is called. Only where `isInteractive`. */
  onKey(listener: (key: string) => void): () => void;
  /** Calls for all that is typed or piped in, until the returned function is called; at a terminal key by key. */
  onInput(listener: (bytes: Uint8Array) => void): () => void;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The process's own. Colour follows `NO_COLOR`, `FORCE_COLOR` and whether standard output is a terminal. */
export const processTerminal: Terminal = {
  print: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
  write: (bytes) => void process.stdout.write(bytes),
  writeError: (bytes) => void process.stderr.write(bytes),
  async readAll() {
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(part as Buffer);
    return Buffer.concat(parts);
  },
  overwrite: (text) => void process.stdout.write(`\r\u001b[2K${text}`),
  style: (style, text) => styleText(style, text, { stream: process.stdout }),
  get isInteractive() {
    return process.stdin.isTTY === true && process.stdout.isTTY === true;
  },
  onKey: (listener) =>
    processTerminal.onInput((bytes) => listener(Buffer.from(bytes).toString('utf8'))),
  onInput(listener) {
    const { stdin } = process;
    const isTerminal = stdin.isTTY === true;
    if (isTerminal) stdin.setRawMode(true);
    stdin.on('data', listener);
    return () => {
      stdin.off('data', listener);
      if (isTerminal) stdin.setRawMode(false);
      stdin.pause();
    };
  },
};

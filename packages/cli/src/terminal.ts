import { styleText } from 'node:util';

/** Where a command prints and reads. Tests give one of their own. */
export interface Terminal {
  /** Prints a line, or lines, to standard output. */
  print(text: string): void;
  /** To standard error. */
  warn(text: string): void;
  /** Writes over the line the cursor is in. Only where `isInteractive`. */
  overwrite(text: string): void;
  /** The text in a style, where standard output shows colours. */
  style(style: Style, text: string): string;
  /** A person reads and types: standard input and output are a terminal. */
  readonly isInteractive: boolean;
  /** Calls for each key until the returned function is called. Only where `isInteractive`. */
  onKey(listener: (key: string) => void): () => void;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The process's own. Colour follows `NO_COLOR`, `FORCE_COLOR` and whether standard output is a terminal. */
export const processTerminal: Terminal = {
  print: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
  overwrite: (text) => void process.stdout.write(`\r\u001b[2K${text}`),
  style: (style, text) => styleText(style, text, { stream: process.stdout }),
  get isInteractive() {
    return process.stdin.isTTY === true && process.stdout.isTTY === true;
  },
  onKey(listener) {
    const { stdin } = process;
    const onData = (data: Buffer): void => listener(data.toString('utf8'));
    stdin.setRawMode(true);
    stdin.on('data', onData);
    return () => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
    };
  },
};

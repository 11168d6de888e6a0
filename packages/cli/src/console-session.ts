import type { GuestConsole } from '@polyvisor/host/instance';
import type { Terminal } from './terminal.ts';

/** Ctrl-] leaves, as with telnet and virsh. */
export const DETACH_KEY = '\u001d';

/**
 * Joins a terminal to a guest's, until the person leaves or `signal` ends it.
 * @returns whether the person left
 */
export async function joinConsole(
  terminal: Terminal,
  console: GuestConsole,
  signal: AbortSignal,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  signal.addEventListener('abort', () => resolve(false), { once: true });
  if (signal.aborted) resolve(false);
  terminal.write(console.recent());
  const endOutput = console.on((bytes) => terminal.write(bytes));
  const endInput = terminal.onInput((bytes) => {
    const at = terminal.isInteractive ? Buffer.from(bytes).indexOf(DETACH_KEY) : -1;
    console.write(at < 0 ? bytes : bytes.subarray(0, at));
    if (at >= 0) resolve(true);
  });
  try {
    return await promise;
  } finally {
    endInput();
    endOutput();
    if (terminal.isInteractive) terminal.print('');
  }
}

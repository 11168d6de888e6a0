import { typist } from '@polyvisor/host/control/typist';
import type { Api } from '../api.ts';

/** Rows that can be scrolled back to. */
const SCROLLBACK_ROWS = 5000;

/**
 * Shows a guest's terminal in an element until the signal, and sends what is typed there. Resolves when the guest has
 * said its last.
 * @throws ApiError when the host refuses, or does not answer
 */
export async function openTerminal(
  element: HTMLElement,
  api: Api,
  guest: string,
  signal: AbortSignal,
): Promise<void> {
  // Most people who look at the page look at chains: they don't wait for it.
  const { Terminal } = await import('@xterm/xterm');
  await import('@xterm/xterm/css/xterm.css');
  if (signal.aborted) return;
  const style = getComputedStyle(element);
  const terminal = new Terminal({
    scrollback: SCROLLBACK_ROWS,
    fontFamily: style.getPropertyValue('--mono'),
    fontSize: 13,
    cursorBlink: true,
    screenReaderMode: true,
    theme: { background: '#15181c', foreground: '#e3e5e9' },
  });
  signal.addEventListener('abort', () => terminal.dispose());
  terminal.open(element);
  terminal.focus();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const type = typist((bytes) => api.type(guest, bytes), reject);
  terminal.onData((text) => type(new TextEncoder().encode(text)));
  terminal.onBinary((text) => type(Uint8Array.from(text, (character) => character.charCodeAt(0))));
  const follow = async (): Promise<void> => {
    for await (const bytes of api.terminal(guest, signal)) terminal.write(bytes);
  };
  await Promise.race([follow(), failed]);
}

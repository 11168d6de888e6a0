import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api } from './api.ts';
import type { Live } from './live.ts';

/** What every page works with. */
export interface Console {
  readonly api: Api;
  readonly live: Live;
}

export const ConsoleContext: preact.Context<Console | undefined> = createContext<
  Console | undefined
>(undefined);

export function useConsole(): Console {
  const value = useContext(ConsoleContext);
  if (value === undefined) throw new Error('a page is drawn inside ConsoleContext');
  return value;
}

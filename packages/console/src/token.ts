/**
 * The control API's token. The host prints `http://127.0.0.1:7400/#token=…`: a fragment never
 * leaves the browser. The page keeps it for its tab alone and takes it out of the address, so that
 * no copied link or bookmark gives it away.
 */
export function takeToken({ location, history, sessionStorage }: TokenPlace): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (token === null) return sessionStorage.getItem(KEY) ?? undefined;
  keepToken(sessionStorage, token);
  history.replaceState(null, '', `${location.pathname}${location.search}#/guests`);
  return token;
}

export function keepToken(storage: Pick<Storage, 'setItem'>, token: string): void {
  storage.setItem(KEY, token);
}

export function forgetToken(storage: Pick<Storage, 'removeItem'>): void {
  storage.removeItem(KEY);
}

/** The token in what a person pastes: the printed URL, or the bare token. */
export function tokenIn(text: string): string {
  const pasted = text.trim();
  const at = pasted.indexOf('#token=');
  return at < 0 ? pasted : (new URLSearchParams(pasted.slice(at + 1)).get('token') ?? '');
}

/** The parts of `window` that are used. */
export interface TokenPlace {
  readonly location: Pick<Location, 'hash' | 'pathname' | 'search'>;
  readonly history: Pick<History, 'replaceState'>;
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem'>;
}

const KEY = 'polyvisor-token';

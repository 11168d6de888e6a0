import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { createApi } from './api.ts';
import { ConsoleContext } from './context.ts';
import type { Console } from './context.ts';
import { Frame } from './frame.tsx';
import { followHost } from './live.ts';
import { Door } from './door.tsx';
import { useStore } from './store.ts';
import { forgetToken, keepToken } from './token.ts';

/** Asks for the token when there is none, or when the host has another since it started again. */
export function Root(props: { token: string | undefined }): JSX.Element | null {
  const [token, setToken] = useState(props.token);
  const [connected, setConnected] = useState<Console>();
  useEffect(() => {
    if (token === undefined) return undefined;
    const life = new AbortController();
    const api = createApi(token);
    setConnected({ api, live: followHost(api, life.signal) });
    return () => life.abort();
  }, [token]);
  const enter = (entered: string): void => {
    keepToken(sessionStorage, entered);
    setToken(entered);
  };
  if (token === undefined) return <Door enter={enter} />;
  if (connected === undefined) return null;
  const leave = (): void => {
    forgetToken(sessionStorage);
    setConnected(undefined);
    setToken(undefined);
  };
  return (
    <ConsoleContext.Provider value={connected}>
      <Inside console={connected} leave={leave} />
    </ConsoleContext.Provider>
  );
}

function Inside({ console, leave }: { console: Console; leave: () => void }): JSX.Element | null {
  const { error } = useStore(console.live.guests);
  useEffect(() => {
    if (error?.status === 401) leave();
  }, [error]);
  return error?.status === 401 ? null : <Frame />;
}

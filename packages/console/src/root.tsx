import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { createApi } from './api.ts';
import type { ApiError } from './api.ts';
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
  const [refusal, setRefusal] = useState<ApiError>();
  useEffect(() => {
    if (token === undefined) return undefined;
    const life = new AbortController();
    const api = createApi(token);
    setConnected({ api, live: followHost(api, life.signal) });
    return () => life.abort();
  }, [token]);
  const enter = (entered: string): void => {
    keepToken(sessionStorage, entered);
    setRefusal(undefined);
    setToken(entered);
  };
  if (token === undefined) return <Door enter={enter} refusal={refusal} />;
  if (connected === undefined) return null;
  const leave = (error: ApiError): void => {
    forgetToken(sessionStorage);
    setRefusal(error);
    setConnected(undefined);
    setToken(undefined);
  };
  return (
    <ConsoleContext.Provider value={connected}>
      <Inside console={connected} leave={leave} />
    </ConsoleContext.Provider>
  );
}

function Inside(props: { console: Console; leave: (error: ApiError) => void }): JSX.Element | null {
  const { console, leave } = props;
  const { error } = useStore(console.live.guests);
  useEffect(() => {
    if (error?.status === 401) leave(error);
  }, [error]);
  return error?.status === 401 ? null : <Frame />;
}

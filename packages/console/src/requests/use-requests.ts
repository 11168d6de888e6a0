import type { GuestView, RequestView } from '@polyvisor/host/control/views';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { asApiError } from '../live.ts';

/** The guest's requests, newest first. Asked for again when its count of requests has grown. */
export function useRequests(
  guest: GuestView,
  isFollowing: boolean,
): { requests: readonly RequestView[] | undefined; error: ApiError | undefined } {
  const { api } = useConsole();
  const [requests, setRequests] = useState<readonly RequestView[]>();
  const [error, setError] = useState<ApiError>();
  const newest = useRef(0);
  const count = guest.usage.requests;
  useEffect(() => {
    if (!isFollowing) return undefined;
    const life = new AbortController();
    const load = async (): Promise<void> => {
      try {
        const more = await api.requests(guest.name, newest.current, life.signal);
        if (life.signal.aborted) return;
        newest.current = more.at(-1)?.number ?? newest.current;
        setRequests((kept) => [...more.toReversed(), ...(kept ?? [])].slice(0, REQUESTS_KEPT));
        setError(undefined);
      } catch (failure) {
        if (!life.signal.aborted) setError(asApiError(failure));
      }
    };
    void load();
    return () => life.abort();
  }, [guest.name, count, isFollowing]);
  return { requests, error };
}

/** As many as the host keeps. */
const REQUESTS_KEPT = 512;

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from './api.ts';
import { asApiError } from './live.ts';

/** Something that is loaded. The value of before stays while it is loaded again. */
export interface Query<T> {
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
  reload(): void;
}

/**
 * Loads, and loads again when `key` or `version` change. Another `key` is another thing: what was
 * loaded for the one before is dropped. Another `version` is news of the same: it waits for a load
 * under way, so that news in quick succession can't starve it.
 */
export function useQuery<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  version: unknown = 0,
): Query<T> {
  const [result, setResult] = useState<Loaded<T>>(NOTHING);
  const runner = useRef<() => void>(() => {});
  const newestLoad = useRef(load);
  newestLoad.current = load;
  useEffect(() => {
    const life = new AbortController();
    let isRunning = false;
    let isWanted = false;
    const run = async (): Promise<void> => {
      isWanted = true;
      if (isRunning) return;
      isRunning = true;
      while (isWanted && !life.signal.aborted) {
        isWanted = false;
        const loaded = await attempt(() => newestLoad.current(life.signal));
        if (life.signal.aborted) return;
        setResult((before) => ({ ...(before.key === key ? before : NOTHING), ...loaded, key }));
      }
      isRunning = false;
    };
    runner.current = () => void run();
    return () => life.abort();
  }, [key]);
  useEffect(() => runner.current(), [key, version]);
  const current = result.key === key ? result : (NOTHING as Loaded<T>);
  return { value: current.value, error: current.error, reload: () => runner.current() };
}

interface Loaded<T> {
  readonly key?: string;
  readonly value: T | undefined;
  readonly error: ApiError | undefined;
}

const NOTHING = { value: undefined, error: undefined };

async function attempt<T>(load: () => Promise<T>): Promise<Partial<Loaded<T>>> {
  try {
    return { value: await load(), error: undefined };
  } catch (error) {
    return { error: asApiError(error) };
  }
}

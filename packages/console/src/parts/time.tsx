import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatAgo } from '../format.ts';

/** How long ago, kept true; the exact time when pointed at. */
export function Time({ unixMs }: { unixMs: number }): JSX.Element {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  const date = new Date(unixMs);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {formatAgo(unixMs, Math.max(nowMs, Date.now()))}
    </time>
  );
}

import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { asApiError } from '../live.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { openTerminal } from './open-terminal.ts';

/** A guest's terminal: what it said lately, what it says, and what is typed. */
export function TerminalPage({ guest }: { guest: GuestView }): JSX.Element {
  const { api } = useConsole();
  const place = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    const leaving = new AbortController();
    openTerminal(place.current!, api, guest.name, leaving.signal).catch((failure: unknown) => {
      if (!leaving.signal.aborted) setError(asApiError(failure));
    });
    return () => leaving.abort();
    // A guest that stopped said its last; one that runs again has more to say.
  }, [guest.id, guest.state]);
  return (
    <section class="terminal" aria-label={`Terminal of ${guest.name}`}>
      <ErrorNote error={error} />
      <div ref={place} class="terminal-screen" />
    </section>
  );
}

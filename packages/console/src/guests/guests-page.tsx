import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole } from '../context.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { hrefOf } from '../router.ts';
import { useStore } from '../store.ts';
import { GuestRow } from './guest-row.tsx';

/** All guests, or those whose name, kind or state has the words of the filter. */
export function GuestsPage(): JSX.Element {
  const { live } = useConsole();
  const { list } = useStore(live.guests);
  const [filter, setFilter] = useState('');
  const words = filter.toLowerCase().split(/\s+/);
  const wanted = (list ?? []).filter(({ name, kind, state }) =>
    words.every((word) => `${name} ${kind} ${state}`.toLowerCase().includes(word)),
  );
  const shown = wanted.slice(0, ROWS_MAX);
  return (
    <>
      <header class="page-head">
        <h1>Guests</h1>
        <div class="buttons">
          {(list?.length ?? 0) > 3 && (
            <input
              type="search"
              placeholder="Filter"
              aria-label="Filter guests"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
            />
          )}
          <a class="button primary" href={hrefOf({ page: 'create' })}>
            New guest
          </a>
        </div>
      </header>
      {list === undefined && <p class="faint">Asking the host…</p>}
      {list?.length === 0 && (
        <EmptyState title="This host has no guests">
          <p>
            <a href={hrefOf({ page: 'create' })}>Create one here</a>, or in a terminal:
          </p>
          <pre>polyvisor evm</pre>
        </EmptyState>
      )}
      {list !== undefined && list.length > 0 && shown.length === 0 && (
        <EmptyState title={`No guest matches “${filter}”`} />
      )}
      <ul class="guest-list">
        {shown.map((guest) => (
          <GuestRow key={guest.id} guest={guest} />
        ))}
      </ul>
      {wanted.length > shown.length && (
        <p class="faint">{wanted.length - shown.length} more: filter to find them.</p>
      )}
    </>
  );
}

/** Each row draws three charts. */
const ROWS_MAX = 50;

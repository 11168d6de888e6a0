import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { RequestRow } from './request-row.tsx';
import { matches } from './request-text.ts';
import { useRequests } from './use-requests.ts';

/** What clients asked the guest, as it comes in. */
export function RequestsPage({ guest }: { guest: GuestView }): JSX.Element {
  const [words, setWords] = useState('');
  const [onlyErrors, setOnlyErrors] = useState(false);
  const [isFollowing, setFollowing] = useState(true);
  const { requests, error } = useRequests(guest, isFollowing);
  const shown = requests?.filter((request) =>
    matches(request, { words: words.trim(), onlyErrors }),
  );
  return (
    <section aria-label="Requests">
      <div class="bar">
        <input
          type="search"
          placeholder="Filter by method, parameter or error"
          aria-label="Filter requests"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={onlyErrors}
            onChange={(event) => setOnlyErrors(event.currentTarget.checked)}
          />
          only errors
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={(event) => setFollowing(event.currentTarget.checked)}
          />
          live
        </label>
      </div>
      <ErrorNote error={error} />
      {requests?.length === 0 && (
        <EmptyState title="Nobody asked this guest anything yet">
          <NextStep guest={guest} />
        </EmptyState>
      )}
      {shown?.length === 0 && requests?.length !== 0 && (
        <EmptyState title="No request matches the filter" />
      )}
      <ol class="requests">
        {shown?.map((request) => (
          <RequestRow key={request.number} request={request} guest={guest} />
        ))}
      </ol>
    </section>
  );
}

/** How a person gets a first request into the log. */
function NextStep({ guest }: { guest: GuestView }): JSX.Element {
  const url = guest.endpoints.find(({ protocol }) => protocol === 'http')?.url;
  if (url === undefined)
    return <p>It has no open endpoint: create one with a port, or start it.</p>;
  return (
    <>
      <p>Point a client at it, for instance:</p>
      <pre>cast block-number --rpc-url {url}</pre>
    </>
  );
}

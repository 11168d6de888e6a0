import type { GuestView, SnapshotView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { AskFork } from '../guests/guest-questions.tsx';
import { asApiError } from '../live.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Time } from '../parts/time.tsx';
import { useStore } from '../store.ts';
import { useQuery } from '../use-query.ts';
import { SnapshotGraph } from './snapshot-graph.tsx';
import { layoutSnapshots } from './snapshot-layout.ts';

/** The tree of a guest's snapshots, and the ways back to them. */
export function SnapshotsPage({ guest }: { guest: GuestView }): JSX.Element {
  const { api, live } = useConsole();
  const news = useStore(live.snapshotNews);
  const query = useQuery(guest.id, (signal) => api.snapshots(guest.name, signal), news);
  const [error, setError] = useState<ApiError>();
  const [forkAt, setForkAt] = useState<SnapshotView>();
  const act = async (action: Promise<unknown>): Promise<void> => {
    setError(undefined);
    try {
      await action;
      query.reload();
    } catch (failure) {
      setError(asApiError(failure));
    }
  };
  const layout = layoutSnapshots(query.value ?? []);
  return (
    <section aria-label="Snapshots">
      <TakeSnapshot take={(name) => act(api.takeSnapshot(guest.name, name))} />
      <ErrorNote error={error ?? query.error} />
      {query.value?.length === 0 && (
        <EmptyState title="No snapshots yet">
          <p>
            Taking one keeps the whole guest as it is now, at no cost in time. Rewind to it, or fork
            a guest from it, as often as you like.
          </p>
        </EmptyState>
      )}
      {layout.rows.length > 0 && (
        <div class="panel snapshots">
          <SnapshotGraph layout={layout} />
          <ol>
            {layout.rows.map(({ snapshot }) => (
              <SnapshotRow
                key={snapshot.id}
                snapshot={snapshot}
                rewind={() => void act(api.restore(guest.name, snapshot.id))}
                fork={() => setForkAt(snapshot)}
                remove={() => void act(api.removeSnapshot(guest.name, snapshot.id))}
              />
            ))}
          </ol>
        </div>
      )}
      {forkAt !== undefined && (
        <AskFork guest={guest.name} snapshot={forkAt.id} close={() => setForkAt(undefined)} />
      )}
    </section>
  );
}

function SnapshotRow(props: {
  snapshot: SnapshotView;
  rewind: () => void;
  fork: () => void;
  remove: () => void;
}): JSX.Element {
  const { id, name, head, takenAt, isCurrent } = props.snapshot;
  const label = name ?? id;
  return (
    <li class="snapshot" aria-current={isCurrent ? 'true' : undefined}>
      <div class="snapshot-name">
        <strong class="clip">{label}</strong>
        {isCurrent && (
          <span class="tag tag-accent" title="The guest's present state grew from it">
            current
          </span>
        )}
        <span class="faint clip snapshot-facts">
          {name !== undefined && `${id} · `}at {head} · <Time unixMs={Date.parse(takenAt)} />
        </span>
      </div>
      <div class="buttons" role="group" aria-label={`Actions on ${label}`}>
        <button type="button" onClick={props.rewind}>
          rewind
        </button>
        <button type="button" onClick={props.fork}>
          fork
        </button>
        <button
          type="button"
          class="danger-quiet"
          aria-label={`Delete ${label}`}
          onClick={props.remove}
        >
          delete
        </button>
      </div>
    </li>
  );
}

function TakeSnapshot({ take }: { take: (name?: string) => Promise<void> }): JSX.Element {
  const [name, setName] = useState('');
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    await take(name.trim() === '' ? undefined : name.trim());
    setName('');
  };
  return (
    <form class="bar" onSubmit={(event) => void submit(event)}>
      <input
        aria-label="Name of the snapshot"
        placeholder="Name, if it should have one"
        value={name}
        autocomplete="off"
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button class="primary">Take snapshot</button>
    </form>
  );
}

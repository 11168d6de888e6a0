import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useConsole } from './context.ts';
import { GuestPage } from './guests/guest-page.tsx';
import { CreatePage } from './guests/create-page.tsx';
import { GuestsPage } from './guests/guests-page.tsx';
import { HostPage } from './host/host-page.tsx';
import { EmptyState } from './parts/empty-state.tsx';
import { hrefOf } from './router.ts';
import type { Route } from './router.ts';
import { useStore } from './store.ts';
import { useRoute } from './use-route.ts';

/** What stays around every page: where one can go, and whether the host answers. */
export function Frame(): JSX.Element {
  const { live } = useConsole();
  const { list, error, connection } = useStore(live.guests);
  const route = useRoute();
  const guestHere = 'guest' in route ? route.guest : undefined;
  useEffect(() => {
    document.title = guestHere === undefined ? 'Polyvisor' : `${guestHere} · Polyvisor`;
  }, [guestHere]);
  return (
    <div class="frame">
      <nav class="side" aria-label="Console">
        <a class="brand" href={hrefOf({ page: 'guests' })}>
          <img src="./favicon.svg" alt="" width="22" height="22" />
          Polyvisor
        </a>
        <NavLink route={{ page: 'guests' }} isHere={route.page === 'guests'} label="Guests" />
        <ul class="side-guests">
          {list?.slice(0, GUESTS_SHOWN_MAX).map(({ id, name, state }) => (
            <li key={id}>
              <a
                href={hrefOf({ page: 'overview', guest: name })}
                aria-current={name === guestHere ? 'page' : undefined}
              >
                <span class={`dot state-${state}`} aria-label={state} role="img" />
                <span class="clip">{name}</span>
              </a>
            </li>
          ))}
        </ul>
        <NavLink route={{ page: 'create' }} isHere={route.page === 'create'} label="New guest" />
        <NavLink route={{ page: 'host' }} isHere={route.page === 'host'} label="Host" />
      </nav>
      <main>
        {error !== undefined && (
          <div class="note note-bad" role="alert">
            <strong>{error.message}</strong>
            <span>{error.hint}</span>
          </div>
        )}
        <Page key={connection} route={route} />
      </main>
    </div>
  );
}

function NavLink(props: { route: Route; isHere: boolean; label: string }): JSX.Element {
  return (
    <a
      class="side-link"
      href={hrefOf(props.route)}
      aria-current={props.isHere ? 'page' : undefined}
    >
      {props.label}
    </a>
  );
}

function Page({ route }: { route: Route }): JSX.Element {
  switch (route.page) {
    case 'guests':
      return <GuestsPage />;
    case 'create':
      return <CreatePage />;
    case 'host':
      return <HostPage />;
    case 'missing':
      return (
        <EmptyState title={`There is no page ${route.path}`}>
          <a href={hrefOf({ page: 'guests' })}>All guests</a>
        </EmptyState>
      );
    default:
      return <GuestPage route={route} />;
  }
}

/** More would push the rest of the navigation away; the guests page has a filter. */
const GUESTS_SHOWN_MAX = 20;

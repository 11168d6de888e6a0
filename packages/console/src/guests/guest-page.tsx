import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { AccountPage } from '../evm/account-page.tsx';
import { BlockPage } from '../evm/block-page.tsx';
import { BlocksPage } from '../evm/blocks-page.tsx';
import { SearchBox } from '../evm/search-box.tsx';
import { TransactionPage } from '../evm/transaction-page.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { RequestsPage } from '../requests/requests-page.tsx';
import { hrefOf } from '../router.ts';
import type { GuestTab, Route } from '../router.ts';
import { SnapshotsPage } from '../snapshots/snapshots-page.tsx';
import { useStore } from '../store.ts';
import { TerminalPage } from '../terminal/terminal-page.tsx';
import { GuestActions } from './guest-actions.tsx';
import { Overview } from './overview.tsx';

export type GuestRoute = Extract<Route, { guest: string }>;

/** One guest: its head, its tabs, and the page below them. */
export function GuestPage({ route }: { route: GuestRoute }): JSX.Element {
  const { live } = useConsole();
  const { list } = useStore(live.guests);
  const guest = list?.find(({ name, id }) => name === route.guest || id === route.guest);
  if (list === undefined) return <p class="faint">Asking the host…</p>;
  if (guest === undefined) {
    return (
      <EmptyState title={`There is no guest “${route.guest}”`}>
        <a href={hrefOf({ page: 'guests' })}>All guests</a>
      </EmptyState>
    );
  }
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{guest.name}</h1>
          <div class="guest-facts">
            <StateBadge guest={guest} />
            <span class="tag">{guest.kind}</span>
            <span>
              at <span class="number">{guest.head}</span>
            </span>
          </div>
        </div>
        <GuestActions guest={guest} />
      </header>
      {guest.reason !== undefined && (
        <div class="note note-bad" role="alert">
          <strong>{guest.reason.message}</strong>
          <span>rewind to a snapshot: the guest runs again from there</span>
          <code class="faint">{guest.reason.code}</code>
        </div>
      )}
      <div class="tabs">
        <nav aria-label={`Pages of ${guest.name}`}>
          {tabsOf(guest).map(([page, label]) => (
            <a
              key={page}
              href={hrefOf({ page, guest: guest.name })}
              aria-current={page === tabOf(route) ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        {guest.kind === 'evm' && <SearchBox guest={guest.name} />}
      </div>
      <Tab route={route} guest={guest} />
    </>
  );
}

function Tab({ route, guest }: { route: GuestRoute; guest: GuestView }): JSX.Element {
  switch (route.page) {
    case 'overview':
      return <Overview guest={guest} />;
    case 'terminal':
      return <TerminalPage key={guest.id} guest={guest} />;
    case 'snapshots':
      return <SnapshotsPage key={guest.id} guest={guest} />;
    case 'requests':
      return <RequestsPage key={guest.id} guest={guest} />;
    case 'blocks':
      return <BlocksPage key={guest.id} guest={guest} />;
    case 'block':
      return <BlockPage guest={guest} block={route.block} />;
    case 'transaction':
      return <TransactionPage key={route.hash} guest={guest} hash={route.hash} />;
    case 'account':
      return <AccountPage key={route.address} guest={guest} address={route.address} />;
    default:
      return route satisfies never;
  }
}

function tabsOf(guest: GuestView): readonly (readonly [GuestTab, string])[] {
  return [
    ['overview', 'Overview'],
    ...(guest.kind === 'evm' ? [['blocks', 'Blocks'] as const] : []),
    ...(guest.kind === 'linux' ? [['terminal', 'Terminal'] as const] : []),
    ['snapshots', 'Snapshots'],
    ...(guest.kind === 'evm' ? [['requests', 'RPC log'] as const] : []),
  ];
}

/** Blocks, transactions and accounts are all reached from the list of blocks. */
function tabOf({ page }: GuestRoute): GuestTab {
  return page === 'block' || page === 'transaction' || page === 'account' ? 'blocks' : page;
}

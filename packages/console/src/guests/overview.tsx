import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { formatBytes, formatCount, formatDuration, formatShare } from '../format.ts';
import { Facts } from '../parts/facts.tsx';
import { Time } from '../parts/time.tsx';
import { hrefOf } from '../router.ts';
import { useStore } from '../store.ts';
import { Endpoints, UsageCharts } from './guest-row.tsx';
import { workUnits } from './work-units.ts';

/** What a guest uses, what it may use, and what it is. */
export function Overview({ guest }: { guest: GuestView }): JSX.Element {
  const { usage, limits } = guest;
  return (
    <>
      <section class="charts" aria-label="Usage over the last two minutes">
        <UsageCharts guest={guest} size="large" />
      </section>
      <div class="columns">
        <section class="panel">
          <h2>Guest</h2>
          <Facts
            rows={[
              ['endpoints', <Endpoints guest={guest} />],
              ...Object.entries(guest.facts),
              ['created', <Time unixMs={Date.parse(guest.createdAt)} />],
              [
                'forked from',
                guest.parent === undefined ? undefined : <Parent id={guest.parent} />,
              ],
              ['id', <code>{guest.id}</code>],
            ]}
          />
        </section>
        <section class="panel">
          <h2>Usage and limits</h2>
          <Facts
            rows={[
              ['CPU time', formatDuration(usage.cpuMs)],
              ['CPU weight', limits.cpuWeight],
              ['CPU cap', limits.cpuCap === undefined ? 'none' : formatShare(limits.cpuCap)],
              [
                'memory',
                `${formatBytes(usage.memoryBytes)} of ${formatBytes(limits.memoryBytesMax)}`,
              ],
              [
                'storage',
                `${formatBytes(usage.storageBytes)} of ${formatBytes(limits.storageBytesMax)}`,
              ],
              ['network', formatBytes(usage.networkBytes)],
              ['work done', `${formatCount(BigInt(usage.work))} ${workUnits(guest.kind).name}`],
              [
                'requests',
                `${formatCount(usage.requests)}, ${formatCount(usage.requestsFailed)} failed`,
              ],
            ]}
          />
        </section>
      </div>
    </>
  );
}

/** The guest it was forked from, by name while it is there. */
function Parent({ id }: { id: string }): JSX.Element {
  const { live } = useConsole();
  const parent = useStore(live.guests).list?.find((guest) => guest.id === id);
  if (parent === undefined) return <code title="it was removed">{id}</code>;
  return <a href={hrefOf({ page: 'overview', guest: parent.name })}>{parent.name}</a>;
}

import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { formatBytes, formatScaled, formatShare } from '../format.ts';
import { Chart } from '../parts/chart.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { hrefOf } from '../router.ts';
import { GuestActions } from './guest-actions.tsx';
import { workUnits } from './work-units.ts';

/** A guest in the list: how it is, what it uses, where it answers, what can be done to it. */
export function GuestRow({ guest }: { guest: GuestView }): JSX.Element {
  return (
    <li class="panel guest-row">
      <div class="guest-name">
        <a href={hrefOf({ page: 'overview', guest: guest.name })}>{guest.name}</a>
        <div class="guest-facts">
          <StateBadge guest={guest} />
          <span class="tag">{guest.kind}</span>
          <span>
            at <span class="number">{guest.head}</span>
          </span>
        </div>
        {guest.reason !== undefined && <p class="bad">{guest.reason.message}</p>}
      </div>
      <div class="guest-charts">
        <UsageCharts guest={guest} size="spark" />
      </div>
      <div class="guest-foot">
        <Endpoints guest={guest} />
        <GuestActions guest={guest} />
      </div>
    </li>
  );
}

export function UsageCharts(of: { guest: GuestView; size: 'spark' | 'large' }): JSX.Element {
  const props = { guestId: of.guest.id, size: of.size };
  return (
    <>
      <Chart {...props} field="cpu" label="CPU" format={formatShare} />
      <Chart {...props} field="memory" label="Memory" format={formatBytes} />
      <Chart {...props} field="work" label={workUnits(of.guest.kind).rate} format={formatScaled} />
    </>
  );
}

export function Endpoints({ guest }: { guest: GuestView }): JSX.Element {
  if (guest.endpoints.length === 0) {
    return <span class="faint">no open port</span>;
  }
  return (
    <div class="endpoints">
      {guest.endpoints.map(({ url }) => (
        <CopyButton key={url} text={url} label={url} />
      ))}
    </div>
  );
}

import type { CheckView, HostView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Facts } from '../parts/facts.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../use-query.ts';
import { Logs } from './logs.tsx';

/** The host itself: what it is, whether this computer has what it needs, and what it has to say. */
export function HostPage(): JSX.Element {
  const { api } = useConsole();
  const host = useQuery('host', (signal) => api.host(signal));
  const checks = useQuery('checks', (signal) => api.checks(signal));
  return (
    <>
      <header class="page-head">
        <h1>Host</h1>
      </header>
      <div class="columns">
        <section class="panel">
          <h2>Process</h2>
          <ErrorNote error={host.error} />
          {host.value !== undefined && <Facts rows={hostFacts(host.value)} />}
        </section>
        <section class="panel">
          <div class="section-head">
            <h2>Checks</h2>
            <button type="button" onClick={checks.reload}>
              Check again
            </button>
          </div>
          <ErrorNote error={checks.error} />
          <ul class="checks">
            {checks.value?.map((check) => (
              <CheckRow key={check.name} check={check} />
            ))}
          </ul>
        </section>
      </div>
      <Logs />
    </>
  );
}

function hostFacts(host: HostView): readonly (readonly [string, preact.ComponentChildren])[] {
  return [
    ['version', host.version],
    ['started', <Time unixMs={Date.parse(host.startedAt)} />],
    ['process', host.pid],
    ['Node', host.node],
    ['platform', host.platform],
    ['guests', host.guests],
    ['memory', `${formatBytes(host.residentBytes)} resident`],
    ['CPU time', formatDuration(host.cpuMs)],
    [
      'directory',
      host.dataDirectory === undefined ? (
        'none: guests are gone when the host ends'
      ) : (
        <CopyButton text={host.dataDirectory} label="the directory" />
      ),
    ],
    ['instance', <code>{host.instanceId}</code>],
  ];
}

function CheckRow({ check }: { check: CheckView }): JSX.Element {
  return (
    <li class={`check-row check-${check.status}`}>
      <span class="check-mark" role="img" aria-label={check.status} />
      <span>
        <strong>{check.name}</strong> {check.finding}
        {check.hint !== undefined && <span class="field-hint">{check.hint}</span>}
      </span>
    </li>
  );
}

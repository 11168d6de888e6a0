import type { Guest } from '../guest.ts';
import type { GuestStateName } from '../guest-state.ts';
import type { Host } from '../host.ts';

/**
 * The host's figures in Prometheus' text format.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/ "Text format details"
 */
export function renderMetrics(host: Host): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const samples = metric.samples(host);
    if (samples.length === 0) continue;
    lines.push(`# HELP ${metric.name} ${metric.help}`, `# TYPE ${metric.name} ${metric.type}`);
    for (const { labels, value } of samples) {
      lines.push(`${metric.name}${renderLabels(labels)} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  samples(host: Host): readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | bigint;
}

const metrics: readonly Metric[] = [
  {
    name: 'polyvisor_guests',
    type: 'gauge',
    help: 'Guests by state.',
    samples: (host) => countStates(host),
  },
  perGuest(
    'polyvisor_guest_cpu_seconds_total',
    'counter',
    'CPU time given to the guest.',
    (guest) => guest.usage().cpuMs / 1000,
  ),
  perGuest(
    'polyvisor_guest_work_total',
    'counter',
    'Units of work done: gas, compute units, instructions.',
    (guest) => guest.usage().work,
  ),
  perGuest(
    'polyvisor_guest_memory_bytes',
    'gauge',
    'Memory that the guest alone holds.',
    (guest) => guest.usage().memoryBytes,
  ),
  perGuest(
    'polyvisor_guest_memory_limit_bytes',
    'gauge',
    'The guest’s memory limit.',
    (guest) => guest.limits.memoryBytesMax,
  ),
  perGuest(
    'polyvisor_guest_storage_bytes',
    'gauge',
    'Size of the guest’s durable state.',
    (guest) => guest.usage().storageBytes,
  ),
  perGuest(
    'polyvisor_guest_storage_limit_bytes',
    'gauge',
    'The guest’s storage quota.',
    (guest) => guest.limits.storageBytesMax,
  ),
  perGuest(
    'polyvisor_guest_network_bytes_total',
    'counter',
    'Bytes received and sent by the guest’s doors.',
    (guest) => guest.usage().networkBytes,
  ),
  perGuest(
    'polyvisor_guest_requests_total',
    'counter',
    'Requests answered.',
    (guest) => guest.usage().requests,
  ),
  perGuest(
    'polyvisor_guest_requests_failed_total',
    'counter',
    'Requests answered with an error.',
    (guest) => guest.usage().requestsFailed,
  ),
  ofHost(
    'polyvisor_scheduler_slices_total',
    'counter',
    'Slices given to machines.',
    (host) => host.slices,
  ),
  ofHost(
    'process_start_time_seconds',
    'gauge',
    'Start of the host, Unix seconds.',
    (host) => host.startedAtMs / 1000,
  ),
  ofHost('process_cpu_seconds_total', 'counter', 'CPU time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
  ofHost('process_resident_memory_bytes', 'gauge', 'Resident memory of the process.', () =>
    process.memoryUsage.rss(),
  ),
];

function perGuest(
  name: string,
  type: Metric['type'],
  help: string,
  value: (guest: Guest) => number | bigint,
): Metric {
  const samples = (host: Host): Sample[] =>
    [...host.guests.values()].map((guest) => ({
      labels: { guest: guest.name, kind: guest.kind },
      value: value(guest),
    }));
  return { name, type, help, samples };
}

function ofHost(
  name: string,
  type: Metric['type'],
  help: string,
  value: (host: Host) => number,
): Metric {
  return { name, type, help, samples: (host) => [{ labels: {}, value: value(host) }] };
}

const STATES: readonly GuestStateName[] = ['created', 'running', 'paused', 'stopped', 'failed'];

function countStates(host: Host): Sample[] {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const { state } of host.guests.values()) {
    counts.set(state.name, (counts.get(state.name) ?? 0) + 1);
  }
  return [...counts].map(([state, value]) => ({ labels: { state }, value }));
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

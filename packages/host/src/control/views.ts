import * as z from 'zod';
import type { Guest } from '../guest.ts';
import type { Host } from '../host.ts';
import type { NumberedRequest } from '../request-log.ts';
import { guestSpec } from '../schemas.ts';
import type { Snapshot } from '../snapshots.ts';
import { VERSION } from '../version.ts';

/** What the control API shows of the host's things: plain JSON, with its schemas. */
const stateName = z.enum(['created', 'running', 'paused', 'stopped', 'failed']);

export const usageView = z.object({
  cpuMs: z.number().describe('CPU time given to the guest, milliseconds'),
  work: z.string().describe('Units of work done (gas, instructions), a decimal number'),
  memoryBytes: z.number().describe('Memory that the guest alone holds'),
  storageBytes: z.number().describe('Size of its durable state'),
  networkBytes: z.number().describe('Received and sent by its doors'),
  requests: z.number().describe('Requests answered'),
  requestsFailed: z.number().describe('Of them, with an error'),
});

export const guestView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  state: stateName,
  reason: z.object({ code: z.string(), message: z.string() }).optional().describe('Why it failed'),
  createdAt: z.string().describe('ISO 8601'),
  parent: z.string().optional().describe('Id of the guest that it was forked from'),
  head: z.string().describe('How far it is, in its own terms'),
  facts: z.record(z.string(), z.string()).describe('What a person wants to see of this kind'),
  endpoints: z.array(z.object({ protocol: z.string(), url: z.string() })),
  limits: z.object({
    cpuWeight: z.number(),
    cpuCap: z.number().optional(),
    memoryBytesMax: z.number(),
    storageBytesMax: z.number(),
  }),
  usage: usageView,
});

export const snapshotView = z.object({
  id: z.string(),
  parent: z.string().optional(),
  name: z.string().optional(),
  takenAt: z.string().describe('ISO 8601'),
  head: z.string().describe('Where the guest was'),
  isCurrent: z.boolean().describe('Whether the guest’s present state grew from it'),
});

export const requestView = z.object({
  number: z.int().describe('Counts up from 1; ask for those after the last one you have'),
  time: z.string().describe('ISO 8601'),
  transport: z.enum(['http', 'ws', 'in-process']),
  method: z.string(),
  params: z.unknown().optional(),
  durationMs: z.number(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
});

export const hostView = z.object({
  version: z.string(),
  instanceId: z.string().describe('Random, new at each start: proves which host answers'),
  startedAt: z.string(),
  pid: z.int(),
  node: z.string(),
  platform: z.string(),
  dataDirectory: z.string().optional(),
  guests: z.int(),
  residentBytes: z.number(),
  cpuMs: z.number(),
});

export const checkView = z.object({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'failure']),
  finding: z.string(),
  hint: z.string().optional().describe('What to do about it'),
});

export const logView = z.looseObject({
  time: z.number().describe('Unix milliseconds'),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  message: z.string(),
  guest: z.string().optional().describe('Id of the guest; none: the host itself'),
});

/** One server-sent event: its `kind` is the event's name, all of it is the data. */
export const eventView = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['guest-created', 'guest-removed']), guest: z.string() }),
  z.object({
    kind: z.literal('guest-state'),
    guest: z.string(),
    state: stateName,
    reason: z.string().optional().describe('Why it failed'),
  }),
  z.object({
    kind: z.enum(['snapshot-taken', 'snapshot-restored', 'snapshot-removed']),
    guest: z.string(),
    snapshot: z.string(),
  }),
  z.object({ kind: z.literal('head'), guest: z.string(), head: z.string() }),
  z.object({
    kind: z.literal('usage'),
    time: z.number().describe('Unix milliseconds'),
    guests: z.record(z.string(), usageView).describe('By id; once a second'),
  }),
]);

/** What a command gave: its value, or the error that the guest answered with. */
export const outcomeView = z.object({
  result: z.unknown().optional(),
  error: z
    .object({ code: z.number(), message: z.string(), data: z.unknown().optional() })
    .optional(),
});

/** Bytes of a terminal. */
export const consoleView = z.object({ data: z.string().describe('Bytes in base64') });

/** A line of what a program does: it printed, it ended, or it can't be told what became of it. */
export const runView = z.union([
  z.object({ stdout: z.string().describe('Bytes in base64') }),
  z.object({ stderr: z.string().describe('Bytes in base64') }),
  z.object({ exitCode: z.int() }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

export const errorView = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});

/** Schemas that the API's description names. */
export const namedSchemas: Readonly<Record<string, z.ZodType>> = {
  Guest: guestView,
  GuestSpec: guestSpec,
  Usage: usageView,
  Snapshot: snapshotView,
  Request: requestView,
  Host: hostView,
  Check: checkView,
  LogRecord: logView,
  Event: eventView,
  Outcome: outcomeView,
  ConsoleOutput: consoleView,
  RunOutput: runView,
  Error: errorView,
};

export type GuestView = z.infer<typeof guestView>;
export type SnapshotView = z.infer<typeof snapshotView>;
export type UsageView = z.infer<typeof usageView>;
export type RequestView = z.infer<typeof requestView>;
export type HostView = z.infer<typeof hostView>;
export type CheckView = z.infer<typeof checkView>;
export type EventView = z.infer<typeof eventView>;
export type ConsoleView = z.infer<typeof consoleView>;
export type RunView = z.infer<typeof runView>;
export type OutcomeView = z.infer<typeof outcomeView>;

export function viewGuest(guest: Guest): GuestView {
  const { state, limits } = guest;
  return {
    id: guest.id,
    name: guest.name,
    kind: guest.kind,
    state: state.name,
    ...(state.name === 'failed' ? { reason: { ...state.reason } } : {}),
    createdAt: new Date(guest.createdAtMs).toISOString(),
    ...(guest.parent === undefined ? {} : { parent: guest.parent }),
    head: guest.head(),
    facts: Object.fromEntries(guest.facts()),
    endpoints: guest.endpoints.map((endpoint) => ({ ...endpoint })),
    limits: {
      cpuWeight: limits.cpu.weight,
      ...(limits.cpu.cap === undefined ? {} : { cpuCap: limits.cpu.cap }),
      memoryBytesMax: limits.memoryBytesMax,
      storageBytesMax: limits.storageBytesMax,
    },
    usage: viewUsage(guest),
  };
}

export function viewUsage(guest: Guest): UsageView {
  const usage = guest.usage();
  return { ...usage, work: usage.work.toString() };
}

export function viewSnapshot(guest: Guest, snapshot: Snapshot): SnapshotView {
  const { id, parent, name, takenAtMs, head } = snapshot;
  return {
    id,
    ...(parent === undefined ? {} : { parent }),
    ...(name === undefined ? {} : { name }),
    takenAt: new Date(takenAtMs).toISOString(),
    head,
    isCurrent: guest.snapshots.currentId === id,
  };
}

export function viewRequest(request: NumberedRequest): RequestView {
  const { time, error, ...rest } = request;
  return {
    ...rest,
    time: new Date(time).toISOString(),
    ...(error === undefined ? {} : { error: { ...error } }),
  };
}

export function viewHost(host: Host): HostView {
  const { user, system } = process.cpuUsage();
  return {
    version: VERSION,
    instanceId: host.instanceId,
    startedAt: new Date(host.startedAtMs).toISOString(),
    pid: process.pid,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    ...(host.dataDirectory === undefined ? {} : { dataDirectory: host.dataDirectory }),
    guests: host.guests.size,
    residentBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
  };
}

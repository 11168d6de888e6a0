import * as z from 'zod';
import type { Guest } from '../guest.ts';
import { guestSpec } from '../schemas.ts';
import type { Snapshot } from '../snapshots.ts';

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
  Error: errorView,
};

export type GuestView = z.infer<typeof guestView>;
export type SnapshotView = z.infer<typeof snapshotView>;

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

export function viewUsage(guest: Guest): z.infer<typeof usageView> {
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

import * as z from 'zod';
import { HostError } from '@polyvisor/errors/host-error';
import { ProviderRpcError } from '@polyvisor/rpc/in-process';
import { checkHost } from '../doctor.ts';
import type { Guest } from '../guest.ts';
import type { GuestSpec } from '../guest-spec.ts';
import type { Host } from '../host.ts';
import { guestName, guestSpec } from '../schemas.ts';
import { streamConsole } from './console-stream.ts';
import { streamEvents } from './events.ts';
import { streamRun } from './run-stream.ts';
import { route } from './route.ts';
import type { Route, Stream } from './route.ts';
import {
  checkView,
  consoleView,
  eventView,
  guestView,
  hostView,
  logView,
  outcomeView,
  requestView,
  runView,
  snapshotView,
  viewGuest,
  viewHost,
  viewRequest,
  viewSnapshot,
} from './views.ts';
import type { OutcomeView } from './views.ts';

/** What one request may ask for. */
const FORKS_MAX = 10_000;
const BLOCKS_MAX = 1_000_000;
/** Characters of base64. */
const TYPED_MAX = 1_400_000;
const FILE_MAX = 2 ** 24 - 2 ** 16;
/** As long as Linux lets an argument be. @see Linux, MAX_ARG_STRLEN */
const WORD_MAX = 131_072;
const SECONDS_MAX = 2 ** 40;

/**
 * The control API. A guest is named by its name or its id, a snapshot by its id or its name. Numbers in queries are
 * decimal. All of it needs the token.
 */
export const routes: readonly Route[] = [
  // --- the host
  route({
    method: 'GET',
    path: '/v1/host',
    id: 'getHost',
    summary: 'The host: version, instance, process',
    answer: hostView,
    handle: async ({ host }) => viewHost(host),
  }),
  route({
    method: 'POST',
    path: '/v1/host/shutdown',
    id: 'shutDown',
    summary: 'Stops every guest and ends the host; durable guests are there at the next start',
    handle: async ({ shutDown }) => shutDown(),
  }),
  route({
    method: 'GET',
    path: '/v1/host/checks',
    id: 'checkHost',
    summary: 'Whether this computer has what the guests need',
    answer: z.array(checkView),
    handle: async ({ host }) => await checkHost({ dataDirectory: host.dataDirectory }),
  }),
  route({
    method: 'GET',
    path: '/v1/events',
    id: 'streamEvents',
    summary: 'What happens from now on, and the usage of all guests once a second',
    stream: 'events',
    answer: eventView,
    handle: async ({ host }) => streamEvents(host),
  }),
  route({
    method: 'GET',
    path: '/v1/logs',
    id: 'readLogs',
    summary: 'Log records, oldest first; with `follow` the ones to come, too',
    query: z.strictObject({
      guest: z.string().optional().describe('Only those of this guest'),
      limit: count(4096).default(100),
      follow: flag(),
    }),
    stream: 'ndjson',
    answer: logView,
    handle: async ({ host, query }) => streamLogs(host, query),
  }),

  // --- guests
  route({
    method: 'GET',
    path: '/v1/guests',
    id: 'listGuests',
    summary: 'All guests, in the order they were made',
    answer: z.array(guestView),
    handle: async ({ host }) => [...host.guests.values()].map(viewGuest),
  }),
  route({
    method: 'POST',
    path: '/v1/guests',
    id: 'createGuest',
    summary: 'Makes a guest and, unless `start=false`, starts it',
    query: z.strictObject({ start: flag(true) }),
    body: guestSpec,
    status: 201,
    answer: guestView,
    handle: async ({ host, query, body }) =>
      viewGuest(await host.create(body as GuestSpec, { start: query.start })),
  }),
  route({
    method: 'GET',
    path: '/v1/guests/{guest}',
    id: 'getGuest',
    summary: 'A guest: state, endpoints, limits, usage',
    answer: guestView,
    handle: async ({ host, path }) => viewGuest(host.guest(path.guest)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/guests/{guest}',
    id: 'removeGuest',
    summary: 'Removes a guest and all that it kept',
    handle: async ({ host, path }) => await host.guest(path.guest).remove(),
  }),
  lifeVerb('start', 'Starts a created or stopped guest', (guest) => guest.start()),
  lifeVerb('pause', 'Takes a running guest off the CPU', async (guest) => guest.pause()),
  lifeVerb('resume', 'Puts a paused guest back on the CPU', async (guest) => guest.resume()),
  lifeVerb('stop', 'Closes a guest’s doors and stops it', (guest) => guest.stop()),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/fork',
    id: 'forkGuest',
    summary: 'Running copies of a guest, of now or of a snapshot',
    body: z.strictObject({
      name: guestName.optional().describe('Of the only fork'),
      snapshot: z.string().optional(),
      count: z.int().min(1).max(FORKS_MAX).default(1),
    }),
    status: 201,
    answer: z.array(guestView),
    handle: async ({ host, path, body }) =>
      (await forks(host.guest(path.guest), body)).map(viewGuest),
  }),

  // --- snapshots
  route({
    method: 'GET',
    path: '/v1/guests/{guest}/snapshots',
    id: 'listSnapshots',
    summary: 'The tree of a guest’s snapshots, oldest first',
    answer: z.array(snapshotView),
    handle: async ({ host, path }) => {
      const guest = host.guest(path.guest);
      return guest.snapshots.list().map((snapshot) => viewSnapshot(guest, snapshot));
    },
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/snapshots',
    id: 'takeSnapshot',
    summary: 'Keeps the guest’s present state',
    body: z.strictObject({ name: guestName.optional() }),
    status: 201,
    answer: snapshotView,
    handle: async ({ host, path, body }) => {
      const guest = host.guest(path.guest);
      return viewSnapshot(guest, await guest.snapshot(body.name));
    },
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/snapshots/{snapshot}/restore',
    id: 'restoreSnapshot',
    summary: 'Takes the guest back (or sideways) to a snapshot; a failed guest runs again',
    answer: snapshotView,
    handle: async ({ host, path }) => {
      const guest = host.guest(path.guest);
      return viewSnapshot(guest, await guest.restore(path.snapshot));
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/guests/{guest}/snapshots/{snapshot}',
    id: 'removeSnapshot',
    summary: 'Forgets a snapshot; its children become its parent’s',
    handle: async ({ host, path }) => await host.guest(path.guest).removeSnapshot(path.snapshot),
  }),

  // --- what is inside
  route({
    method: 'GET',
    path: '/v1/guests/{guest}/console',
    id: 'readConsole',
    summary: 'What a guest’s terminal said lately; with `follow` what it is to say, too',
    query: z.strictObject({ follow: flag() }),
    stream: 'ndjson',
    answer: consoleView,
    handle: async ({ host, path, query }) =>
      streamConsole(host, host.guest(path.guest), query.follow),
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/console',
    id: 'typeAtConsole',
    summary: 'Types at a guest’s terminal',
    body: z.strictObject({ data: z.base64().max(TYPED_MAX).describe('Bytes in base64') }),
    answer: z.object({ taken: z.int().describe('Bytes that there was room for') }),
    handle: async ({ host, path, body }) => ({
      taken: host.guest(path.guest).console.write(Buffer.from(body.data, 'base64')),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/exec',
    id: 'execInGuest',
    summary: 'Runs a command of the guest’s shell, or a method of its RPC',
    body: z.strictObject({
      command: z.string().min(1).max(4096),
      parameters: z.array(z.unknown()).max(1024).default([]),
    }),
    answer: outcomeView,
    handle: async ({ host, path, body }) =>
      await outcomeOf(host.guest(path.guest), body.command, body.parameters),
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/run',
    id: 'runInGuest',
    summary:
      'Runs a program of a guest with a shell; what it prints as it comes, then how it ended',
    body: z.strictObject({
      words: z.array(z.string().max(WORD_MAX)).min(1).max(4096).describe('Program and arguments'),
      stdin: z.base64().max(FILE_MAX).optional().describe('Bytes in base64'),
      directory: z.string().min(1).max(4096).optional(),
      environment: z.record(z.string(), z.string().max(WORD_MAX)).optional(),
    }),
    stream: 'ndjson',
    answer: runView,
    handle: async ({ host, path, body }) => streamRun(host.guest(path.guest), body),
  }),
  route({
    method: 'GET',
    path: '/v1/guests/{guest}/file',
    id: 'readFile',
    summary: 'A file of a guest with a shell',
    query: z.strictObject({ path: z.string().min(1).max(4096) }),
    answer: z.object({ data: z.string().describe('Bytes in base64') }),
    handle: async ({ host, path, query }) => {
      const content = await host.guest(path.guest).shell.readFile(query.path);
      return { data: Buffer.from(content).toString('base64') };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/file',
    id: 'writeFile',
    summary: 'Makes a file in a guest with a shell, or replaces what is in it',
    body: z.strictObject({
      path: z.string().min(1).max(4096),
      data: z.base64().max(FILE_MAX).describe('Bytes in base64'),
    }),
    handle: async ({ host, path, body }) =>
      await host.guest(path.guest).shell.writeFile(body.path, Buffer.from(body.data, 'base64')),
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/mine',
    id: 'mineBlocks',
    summary: 'Makes blocks, with what waits in the first',
    body: z.strictObject({
      count: z.int().min(1).max(BLOCKS_MAX).default(1),
      intervalSeconds: z.int().min(0).max(SECONDS_MAX).optional(),
    }),
    answer: z.object({ head: z.string() }),
    handle: async ({ host, path, body: { count: blocks, intervalSeconds } }) => ({
      head: await host
        .guest(path.guest)
        .mine(blocks, intervalSeconds === undefined ? {} : { intervalSeconds }),
    }),
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/warp',
    id: 'warpClock',
    summary: 'Moves the guest’s clock ahead',
    body: z.strictObject({ seconds: z.int().min(0).max(SECONDS_MAX) }),
    answer: z.object({ time: z.number().describe('The guest’s new time, Unix seconds') }),
    handle: async ({ host, path, body }) => ({
      time: await host.guest(path.guest).warp(body.seconds),
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/guests/{guest}/requests',
    id: 'listRequests',
    summary: 'The newest requests that the guest answered, oldest first',
    query: z.strictObject({
      after: count(Number.MAX_SAFE_INTEGER).default(0).describe('Only those numbered above'),
      limit: count(512).default(100),
    }),
    answer: z.array(requestView),
    handle: async ({ host, path, query }) =>
      host.guest(path.guest).requests.read(query.after, query.limit).map(viewRequest),
  }),
  route({
    method: 'POST',
    path: '/v1/guests/{guest}/requests/{request}/replay',
    id: 'replayRequest',
    summary: 'Asks the guest again what a client asked it, by the request’s number',
    answer: outcomeView,
    handle: async ({ host, path }) => await replay(host.guest(path.guest), path.request),
  }),
];

/** A whole number from 0 to `max` in a query. */
function count(max: number): z.ZodCoercedNumber {
  return z.coerce.number().int().min(0).max(max);
}

/** `true` or `false` in a query. */
function flag(otherwise = false): z.ZodType<boolean> {
  return z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(otherwise);
}

function lifeVerb(verb: string, summary: string, act: (guest: Guest) => Promise<void>): Route {
  return route({
    method: 'POST',
    path: `/v1/guests/{guest}/${verb}`,
    id: `${verb}Guest`,
    summary,
    answer: guestView,
    handle: async ({ host, path }) => {
      const guest = host.guest(path.guest);
      await act(guest);
      return viewGuest(guest);
    },
  });
}

async function forks(
  guest: Guest,
  asked: {
    readonly name?: string | undefined;
    readonly snapshot?: string | undefined;
    count: number;
  },
): Promise<Guest[]> {
  const snapshot = asked.snapshot === undefined ? {} : { snapshot: asked.snapshot };
  if (asked.name === undefined) return await guest.forkMany(asked.count, snapshot);
  if (asked.count === 1) return [await guest.fork({ ...snapshot, name: asked.name })];
  throw new HostError(
    'bad-option',
    `${asked.count} forks can't have one name`,
    'leave the name out: they are numbered',
  );
}

/** An error that the guest answers with is an outcome; a guest that can't answer is a mistake of the caller. */
async function outcomeOf(
  guest: Guest,
  command: string,
  parameters: readonly unknown[],
): Promise<OutcomeView> {
  try {
    return { result: (await guest.exec(command, ...parameters)) ?? null };
  } catch (error) {
    if (!(error instanceof ProviderRpcError)) throw error;
    const { code, message, data } = error;
    return { error: { code, message, ...(data === undefined ? {} : { data }) } };
  }
}

async function replay(guest: Guest, number: string): Promise<OutcomeView> {
  const wanted = Number(number);
  const request = guest.requests.read(wanted - 1).find((one) => one.number === wanted);
  if (request === undefined) {
    throw new HostError(
      'no-request',
      `guest '${guest.name}' keeps no request ${number}`,
      'the newest are kept only: see the list of requests',
    );
  }
  const { method, params = [] } = request;
  if (Array.isArray(params)) return await outcomeOf(guest, method, params);
  throw new HostError('not-supported', `request ${number} has parameters by name`);
}

function streamLogs(
  host: Host,
  query: { readonly guest?: string | undefined; readonly limit: number; readonly follow: boolean },
): Stream {
  const guest = query.guest === undefined ? {} : { guest: host.guest(query.guest).id };
  return (send) => {
    for (const record of host.logs.read({ ...guest, limit: query.limit })) send(record);
    return query.follow ? host.logs.follow(guest, send) : undefined;
  };
}

import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { HostError } from '@polyvisor/errors/host-error';
import type { ControlServer } from '@polyvisor/host/control/server';
import type { GuestSpec } from '@polyvisor/host/guest-spec';
import { createHost } from '@polyvisor/host/host';
import type { Host } from '@polyvisor/host/host';
import { VERSION } from '@polyvisor/host/version';
import { banner, bannerJson } from './banner.ts';
import type { Started } from './banner.ts';
import type { ConsoleConfig } from './config.ts';
import { Ending } from './ending.ts';
import { usualPort } from './ports.ts';
import type { Terminal } from './terminal.ts';

/** What a command that runs a host brings up. */
export interface ServePlan {
  readonly guests: readonly (GuestSpec & { readonly name: string })[];
  readonly dataDirectory?: string | undefined;
  readonly logDestination?: string | undefined;
  /** False: neither console nor control API. */
  readonly console: ConsoleConfig | false;
  readonly output: 'banner' | 'json' | 'quiet';
  /** Start, print, exit. */
  readonly once: boolean;
  /** More to do before it is ready. @returns lines for the banner */
  prepare?(host: Host): Promise<Started['demo']>;
  /** What it does once it is up, in place of waiting for an end; `ended`: somebody wants it to end. */
  run?: {
    /** What to press. */
    readonly keys: string;
    until(host: Host, ended: AbortSignal): Promise<void>;
  };
}

/**
 * Brings a host up, says so, and runs until a signal, a key or the control API ends it.
 * @param signal ends it, too
 */
export async function serve(
  terminal: Terminal,
  plan: ServePlan,
  signal?: AbortSignal,
): Promise<void> {
  await using host = await createHost({
    ...(plan.dataDirectory === undefined ? {} : { dataDirectory: plan.dataDirectory }),
    ...(plan.logDestination === undefined ? {} : { logDestination: plan.logDestination }),
  });
  using ending = new Ending(signal);
  for (const spec of plan.guests) await createOrKeep(host, spec);
  const demo = (await plan.prepare?.(host)) ?? [];
  // Last, and not before clients that wait already have their answers: its code takes a while to load.
  if (plan.console !== false) await new Promise((resolve) => setTimeout(resolve, CLIENTS_FIRST_MS));
  using cleanup = new DisposableStack();
  if (plan.console !== false) cleanup.defer(await openConsole(host, plan.console, ending));
  const started = {
    version: VERSION,
    readyMs: performance.now(),
    console: host.control?.consoleUrl,
    demo,
    keys: plan.run === undefined ? KEYS : plan.run.keys,
  };
  const text = printed(host, started, plan.output, terminal);
  const hasKeys = !plan.once && plan.run === undefined && plan.output === 'banner';
  if (hasKeys && terminal.isInteractive) {
    const { listenToKeys } = await import('./keys.ts');
    cleanup.defer(listenToKeys(terminal, host, ending.end));
  }
  terminal.print(text);
  // A process that is killed keeps nothing at its end.
  flushCompileCache();
  if (plan.once) return;
  if (plan.run === undefined) return await ending.promise;
  const ended = new AbortController();
  void ending.promise.then(() => ended.abort());
  await plan.run.until(host, ended.signal);
}

const KEYS = 'help: h  ·  keys: k  ·  quit: q';
/** How long clients have the host for themselves before the console is opened. */
const CLIENTS_FIRST_MS = 15;

/** A guest of that name that the data directory kept goes on as it was. */
async function createOrKeep(host: Host, spec: ServePlan['guests'][number]): Promise<void> {
  const kept = host.guests.get(spec.name);
  if (kept === undefined) {
    await host.create(spec);
    return;
  }
  if (kept.kind !== spec.kind) {
    throw new HostError(
      'guest-name-taken',
      `the data directory has a guest '${spec.name}' of kind ${kept.kind}, not ${spec.kind}`,
      'give this one another name, or another directory with --data-dir',
    );
  }
  if (kept.state.name === 'stopped') await kept.start();
}

async function openConsole(
  host: Host,
  { port, host: address }: ConsoleConfig,
  ending: Ending,
): Promise<() => void> {
  const consoleDirectory = findConsole();
  const open = (wanted: number): Promise<ControlServer> =>
    host.openControl({
      port: wanted,
      ...(address === undefined ? {} : { host: address }),
      ...(consoleDirectory === undefined ? {} : { consoleDirectory }),
      onShutdown: ending.end,
    });
  const { url, token } = await open(port ?? usualPort('POLYVISOR_CONSOLE_PORT')).catch(
    (error: unknown) => {
      const isTaken = error instanceof HostError && error.code === 'port-busy';
      if (isTaken && port === undefined) return open(0);
      throw error;
    },
  );
  const { registerHost } = await import('./running-hosts.ts');
  const unregister = registerHost({
    url,
    token,
    pid: process.pid,
    instanceId: host.instanceId,
    startedAt: new Date(host.startedAtMs).toISOString(),
    directory: process.cwd(),
  });
  return unregister;
}

/** The console's files lie beside the program, once they are built. */
function findConsole(): string | undefined {
  const directory = fileURLToPath(
    new URL('console', import.meta.resolve('polyvisor/package.json')),
  );
  return existsSync(directory) ? directory : undefined;
}

function printed(
  host: Host,
  started: Started,
  output: ServePlan['output'],
  terminal: Terminal,
): string {
  if (output === 'json') return bannerJson(host, started);
  if (output === 'banner') return banner(host, started, terminal);
  return [...host.guests.values()].flatMap(({ endpoints }) => endpoints[0]?.url ?? []).join('\n');
}

import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { homeDirectory } from '@polyvisor/host/home-directory';

/**
 * Hosts that run now: a file each in `~/.polyvisor/hosts`, readable by this user only, so that `polyvisor ps` finds
 * the host and its token without flags. The files of hosts that died are removed by whoever sees them next.
 */
export interface RunningHost {
  /** Of its control API. */
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly instanceId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Working directory it was started in. */
  readonly directory: string;
}

/** @returns takes the host off the list */
export function registerHost(host: RunningHost, home: string = homeDirectory()): () => void {
  const directory = hostsDirectory(home);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${host.instanceId}.json`);
  // Whoever reads the directory meanwhile must not see half a file.
  writeFileSync(`${file}.new`, JSON.stringify(host), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
}

/** Hosts whose process is alive, oldest first. */
export function runningHosts(home: string = homeDirectory()): RunningHost[] {
  const directory = hostsDirectory(home);
  const hosts: RunningHost[] = [];
  for (const name of listDirectory(directory)) {
    if (!name.endsWith('.json')) continue;
    const file = join(directory, name);
    const host = readHost(file);
    if (host !== undefined && isAlive(host.pid)) hosts.push(host);
    else rmSync(file, { force: true });
  }
  return hosts.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** Which host a command means, and the token to tell it. */
export interface HostChoice {
  /** URL of the control API: `--host`, or `POLYVISOR_HOST`. */
  readonly url?: string;
  /** `--token`, or `POLYVISOR_TOKEN`. */
  readonly token?: string;
}

/**
 * The named host; else the only one that runs; else the only one started in this directory.
 * @throws HostError `no-host`, `several-hosts`, `no-token`
 */
export function chooseHost(
  choice: HostChoice,
  env: NodeJS.ProcessEnv = process.env,
  workingDirectory: string = process.cwd(),
): { readonly url: string; readonly token: string } {
  const hosts = runningHosts(homeDirectory(env));
  const url = (choice.url ?? env['POLYVISOR_HOST'])?.replace(/\/+$/, '');
  const token = choice.token ?? env['POLYVISOR_TOKEN'];
  if (url !== undefined) {
    const known = hosts.find((host) => host.url === url);
    if (token === undefined && known !== undefined) return known;
    if (token !== undefined) return { url, token };
    throw new HostError(
      'no-token',
      `no token for the host at ${url}`,
      'give it with --token or POLYVISOR_TOKEN; it is in the URL of the console, printed at the start',
    );
  }
  const here = hosts.filter((host) => host.directory === workingDirectory);
  const chosen = hosts.length === 1 ? hosts[0] : here.length === 1 ? here[0] : undefined;
  if (chosen !== undefined) return chosen;
  if (hosts.length === 0) {
    throw new HostError('no-host', 'no host is running', 'start one: polyvisor up');
  }
  const list = hosts.map(({ url: at, directory }) => `${at} (of ${directory})`).join(', ');
  throw new HostError(
    'several-hosts',
    `${hosts.length} hosts are running: ${list}`,
    'name one with --host or POLYVISOR_HOST',
  );
}

function hostsDirectory(home: string): string {
  return join(home, 'hosts');
}

function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Nobody has started a host yet.
    return [];
  }
}

function readHost(file: string): RunningHost | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunningHost;
  } catch {
    // Removed this moment, or not ours.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

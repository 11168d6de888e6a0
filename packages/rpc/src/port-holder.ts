import { readFile, readdir, readlink } from 'node:fs/promises';
import { IDENTITY_PATH } from './http-door.ts';

/**
 * Who listens at a port, in words: `the guest 'l1' (ethereum) of a polyvisor, process 123`,
 * `process 123 (anvil)`, or `another program` where the system does not tell.
 */
export async function describePortHolder(host: string, port: number): Promise<string> {
  const [guest, process] = await Promise.all([askForGuest(host, port), findProcess(port)]);
  if (guest !== undefined) {
    const of = process === undefined ? '' : `, process ${process.pid}`;
    return `the guest '${guest.name}' (${guest.kind}) of a polyvisor${of}`;
  }
  return process === undefined ? 'another program' : `process ${process.pid} (${process.command})`;
}

/** What the server there says that it is; undefined: no guest of ours. */
async function askForGuest(
  host: string,
  port: number,
): Promise<{ name: string; kind: string } | undefined> {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}${IDENTITY_PATH}`;
  try {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const response = await fetch(url, { signal, redirect: 'error' });
    const answer = (await response.json()) as { name?: unknown; kind?: unknown } | null;
    if (typeof answer?.name !== 'string' || typeof answer.kind !== 'string') return undefined;
    return { name: printable(answer.name), kind: printable(answer.kind) };
  } catch {
    // Any other program: it says something else, or nothing.
    return undefined;
  }
}

/**
 * The process that listens at a port, where the system is Linux and the process one that we may
 * look at.
 */
async function findProcess(port: number): Promise<{ pid: string; command: string } | undefined> {
  try {
    const tables = await Promise.all(
      ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
    );
    const links = new Set(tables.flatMap((table) => listeningSockets(table, port)));
    if (links.size === 0) return undefined;
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      if (!(await hasDescriptor(pid, links))) continue;
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      return { pid, command: printable(command.replaceAll('\0', ' ').trim()) };
    }
    return undefined;
  } catch {
    // Another system, or the process ended meanwhile.
    return undefined;
  }
}

/**
 * Links of descriptors of the sockets that listen at a port.
 * @param table what /proc/net/tcp or tcp6 says
 * @see Linux, Documentation/networking/proc_net_tcp.rst
 */
export function listeningSockets(table: string, port: number): string[] {
  const links: string[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === TCP_LISTEN && Number.parseInt(local?.split(':')[1] ?? '', 16) === port) {
      links.push(`socket:[${inode}]`);
    }
  }
  return links;
}

async function hasDescriptor(pid: string, links: ReadonlySet<string>): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  // Processes of other users do not show theirs, and descriptors come and go.
  const names = await readdir(directory).catch(() => []);
  const targets = await Promise.all(
    names.map((name) => readlink(`${directory}/${name}`).catch(() => '')),
  );
  return targets.some((target) => links.has(target));
}

/** Short and without control characters: it goes to a terminal. */
function printable(text: string): string {
  const clean = text.replaceAll(/\p{C}/gu, ' ');
  return clean.length > PRINTED_MAX ? `${clean.slice(0, PRINTED_MAX)}…` : clean;
}

const TCP_LISTEN = '0A';
const ASK_TIMEOUT_MS = 500;
const PRINTED_MAX = 80;

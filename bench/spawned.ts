import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built command line, as `npm start` runs it. */
export const cli: string = join(import.meta.dirname, '..', 'dist', 'polyvisor', 'cli.js');

/** A server process; it goes when the bench does. */
export class Spawned implements AsyncDisposable {
  readonly process: ChildProcess;

  constructor(command: string, parameters: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.process = spawn(command, parameters, {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const isGone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await isGone;
  }
}

/**
 * Milliseconds until a request to the port is answered, from `startMs` on. Tries anew at once when refused.
 * @throws when there is no answer within 20 seconds
 */
export async function untilAnswer(port: number, body: string, startMs: number): Promise<number> {
  while (performance.now() - startMs < 20_000) {
    const answer = await tryOnce(port, body);
    if (answer.includes('"result"')) return performance.now() - startMs;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nothing answers at port ${port}`);
}

function tryOnce(port: number, body: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('connect', () => socket.write(httpRequest(port, body)));
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes('"result"')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

export function httpRequest(port: number, body: string): string {
  return (
    `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** Resident memory of a process, in MB. Linux only; elsewhere this process' own is all that is known. */
export function residentMegabytes(pid: number): number {
  if (pid === process.pid) return process.memoryUsage.rss() / 1e6;
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(match?.[1]) * 1024) / 1e6;
}

/** What a script prints, run in a process of its own so that what the bench left behind does not count. */
export function megabytesOf(script: URL, parameter: number): number {
  const output = execFileSync(process.execPath, [fileURLToPath(script), String(parameter)]);
  return Number(output.toString());
}

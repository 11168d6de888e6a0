import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RpcClient } from './rpc-client.ts';
import { peerPackage } from './peers.ts';

/** A running anvil, from its npm package. Its random chain id proves that it is ours that answers. */
export class Anvil extends RpcClient implements AsyncDisposable {
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    super(url);
    this.#process = process;
  }

  static async start(...flags: string[]): Promise<Anvil> {
    const port = await freePort();
    const chainId = 100_000 + Math.floor(Math.random() * 1e9);
    const child = spawn(
      anvilBinary(),
      ['--port', `${port}`, '--chain-id', `${chainId}`, '--silent', ...flags],
      { stdio: 'ignore' },
    );
    const anvil = new Anvil(`http://127.0.0.1:${port}`, child);
    for (let tries = 0; tries < 500; tries++) {
      if ((await anvil.isChain(chainId)) && child.exitCode === null) return anvil;
      await delay(10);
    }
    child.kill();
    throw new Error('anvil did not start');
  }

  get pid(): number {
    return this.#process.pid!;
  }

  private async isChain(chainId: number): Promise<boolean> {
    try {
      return Number(await this.request('eth_chainId')) === chainId;
    } catch {
      return false;
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    const isGone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await isGone;
  }
}

/** The native program inside the npm package for this platform. */
export function anvilBinary(): string {
  const machine = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = process.platform === 'win32' ? 'anvil.exe' : 'anvil';
  const scope = dirname(peerPackage('@foundry-rs/anvil'));
  return join(scope, `anvil-${process.platform}-${machine}`, 'bin', name);
}

/** What the npm package puts on the PATH: a script that finds the program and starts it. */
export function anvilWrapper(): string {
  return join(peerPackage('@foundry-rs/anvil'), 'bin.mjs');
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

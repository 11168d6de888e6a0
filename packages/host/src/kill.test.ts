import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SEED = 20_260_314;
const ROUNDS = 21;
const CLIENTS = 5;
/** A host is killed that long after its clients begin, at most. */
const ROUND_MS_MAX = 300;

let directory: string;
let child: ChildProcess | undefined;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polyvisor-kill-'));
});
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

test('what a client was told outlives kill -9 at any moment', async () => {
  const random = generator(SEED);
  /** Transactions that the host said it has, and all blocks that they are in. */
  const told = new Told();
  for (let round = 0; round < ROUNDS; round++) {
    const url = await startHost();
    await told.check(url);
    // Most rounds end a host that is at work; some one that still loads its engine.
    if (round % 4 !== 0) await ask(url, 'eth_call', { to: `0x${'0'.repeat(40)}` }, 'latest');
    const killed = killAfter(random() * ROUND_MS_MAX);
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => load(url, index, told)));
    await killed;
  }
  await told.check(await startHost());
  expect(told.transactions.size).toBeGreaterThan(ROUNDS);
}, 60_000);

/** What clients know for sure. */
class Told {
  /** Number of its block, by a transaction's hash. */
  readonly transactions = new Map<string, string>();
  readonly blocks = new Map<string, Block>();

  /** Asks a host for all of it again. */
  async check(url: string): Promise<void> {
    for (const [hash, number] of this.transactions) {
      const receipt = await ask<Receipt>(url, 'eth_getTransactionReceipt', hash);
      expect([hash, receipt?.blockNumber]).toEqual([hash, number]);
    }
    for (const [number, { hash, stateRoot }] of this.blocks) {
      const block = await ask<Block>(url, 'eth_getBlockByNumber', number, false);
      expect(block).toMatchObject({ number, hash, stateRoot });
    }
  }
}

interface Receipt {
  readonly blockNumber: string;
}

interface Block {
  readonly number: string;
  readonly hash: string;
  readonly stateRoot: string;
}

/** A client that sends one transaction after the other and notes what it is told, until the host is gone. */
async function load(url: string, index: number, told: Told): Promise<void> {
  try {
    const from = (await ask<string[]>(url, 'eth_accounts'))[index];
    for (let value = 1; ; value++) {
      const to = `0x${String(index).repeat(40)}`;
      const transaction = { from, to, value: `0x${value.toString(16)}` };
      const hash = await ask<string>(url, 'eth_sendTransaction', transaction);
      const receipt = await ask<Receipt>(url, 'eth_getTransactionReceipt', hash);
      told.transactions.set(hash, receipt.blockNumber);
      const block = await ask<Block>(url, 'eth_getBlockByNumber', receipt.blockNumber, false);
      told.blocks.set(block.number, block);
    }
  } catch (error) {
    if (!(error instanceof HostGone)) throw error;
  }
}

/** @returns the chain's URL */
async function startHost(): Promise<string> {
  const script = join(import.meta.dirname, 'testing', 'durable-host.ts');
  child = spawn(process.execPath, [script, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, 'exit').then(() => ['']);
  const [url] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  expect(url).toMatch(/^http/);
  return url;
}

async function killAfter(delayMs: number): Promise<void> {
  const exited = once(child!, 'exit');
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  child!.kill('SIGKILL');
  await exited;
}

async function ask<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
  const { result, error } = await post(url, { jsonrpc: '2.0', id: 1, method, params });
  if (error !== undefined) throw new Error(`${method}: ${error.message}`);
  return result as T;
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** @throws HostGone when the connection breaks */
async function post(url: string, call: object): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(call),
    });
    return (await response.json()) as Answer;
  } catch (error) {
    throw new HostGone(String(error));
  }
}

class HostGone extends Error {}

/** Numbers in [0, 1). @see G. Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014 (as Mulberry32) */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHost } from './host.ts';
import type { Host } from './host.ts';
import type { HostEvent } from './host-events.ts';
import { FakeClock } from './testing/fake-clock.ts';

let host: Host;

beforeEach(async () => {
  host = await createHost();
});
afterEach(() => host.close());

/** What a transfer needs beside its ends, to be complete: the first of its sender. */
const FIRST_TRANSFER = { gas: '0x5208', gasPrice: '0x77359400', nonce: '0x0' };
const withCode = (code: string): string => expect.objectContaining({ code }) as unknown as string;

describe('a new host', () => {
  test('has no guests, no port and no directory', () => {
    expect([host.guests.size, host.control, host.dataDirectory]).toEqual([0, undefined, undefined]);
  });

  test('gives guests the name of their kind, numbered', async () => {
    const names = [];
    for (let n = 0; n < 3; n++) names.push((await host.create({ kind: 'evm', options: {} })).name);
    expect(names).toEqual(['evm', 'evm-2', 'evm-3']);
    expect([...host.guests.keys()]).toEqual(names);
  });

  test('finds a guest by name and by id', async () => {
    const guest = await host.create({ kind: 'evm', name: 'l1', options: {} });
    expect([host.guest('l1'), host.guest(guest.id)]).toEqual([guest, guest]);
  });
});

describe('mistakes', () => {
  test('an unknown guest', () => {
    expect(() => host.guest('l1')).toThrow(withCode('no-guest'));
  });

  test('an unknown kind', async () => {
    const spec = { kind: 'vax', options: {} } as unknown as { kind: 'evm'; options: object };
    await expect(host.create(spec)).rejects.toThrow(withCode('no-kind'));
    await expect(host.create({ ...spec, kind: 'toString' as 'evm' })).rejects.toThrow(
      withCode('no-kind'),
    );
  });

  test('a name that is taken, at once too', async () => {
    const both = [1, 2].map(() => host.create({ kind: 'evm', name: 'l1', options: {} }));
    const ends = await Promise.allSettled(both);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(ends[1]).toMatchObject({ reason: { code: 'guest-name-taken' } });
  });

  test.each(['', 'a b', '-a', '../a', 'a'.repeat(64)])('the name %j', async (name) => {
    await expect(host.create({ kind: 'evm', name, options: {} })).rejects.toThrow(
      withCode('bad-name'),
    );
  });

  test('a failed creation leaves the name free', async () => {
    const bad = host.create({ kind: 'evm', name: 'l1', options: { accounts: -1 } });
    await expect(bad).rejects.toThrow(withCode('bad-option'));
    expect((await host.create({ kind: 'evm', name: 'l1', options: {} })).name).toBe('l1');
  });

  test.each([
    ['weight', { cpu: { weight: 0 } }],
    ['cap', { cpu: { cap: 1.5 } }],
    ['memory', { memory: 2 ** 20 - 1 }],
    ['storage', { storage: '1KiB' }],
  ])('a limit out of range: %s', async (name, limits) => {
    const made = host.create({ kind: 'evm', name: 'l1', ...limits, options: {} });
    await expect(made).rejects.toThrow(new RegExp(`l1.*${name}`));
  });

  test('the guest after the last that is allowed', async () => {
    await using small = await createHost({ guestsMax: 2 });
    const first = await small.create({ kind: 'evm', options: {} });
    await first.fork();
    await expect(first.fork()).rejects.toThrow(withCode('guests-full'));
    await first.remove();
    expect((await small.create({ kind: 'evm', options: {} })).name).toBe('evm');
  });

  test('a guest that is made while the host closes', async () => {
    const made = host.create({ kind: 'evm', options: { port: 0 } });
    await Promise.all([expect(made).rejects.toThrow(withCode('host-closed')), host.close()]);
    expect(host.guests.size).toBe(0);
  });

  test('a guest of a closed host', async () => {
    await host.close();
    await expect(host.create({ kind: 'evm', options: {} })).rejects.toThrow(
      withCode('host-closed'),
    );
  });
});

describe('life of a guest', () => {
  const states = {
    created: { start: 'running', pause: '', resume: '', stop: 'stopped' },
    running: { start: '', pause: 'paused', resume: '', stop: 'stopped' },
    paused: { start: '', pause: '', resume: 'running', stop: 'stopped' },
    stopped: { start: 'running', pause: '', resume: '', stop: 'stopped' },
  } as const;
  const verbs = ['start', 'pause', 'resume', 'stop'] as const;
  const cases = Object.keys(states).flatMap((from) =>
    verbs.map((verb) => [from as keyof typeof states, verb] as const),
  );

  test.each(cases)('%s, %s', async (from, verb) => {
    const guest = await host.create({ kind: 'evm', options: {} }, { start: false });
    if (from !== 'created') await guest.start();
    if (from === 'paused') guest.pause();
    if (from === 'stopped') await guest.stop();
    const to = states[from][verb];
    const act = async (): Promise<void> => await guest[verb]();
    if (to === '') await expect(act()).rejects.toThrow(withCode('wrong-state'));
    else await act();
    expect(guest.state.name).toBe(to === '' ? from : to);
  });

  test('its events come in order, and none after the listener ended', async () => {
    const seen: string[] = [];
    const end = host.on((event) => seen.push(describeEvent(event)));
    const guest = await host.create({ kind: 'evm', options: {} });
    await guest.mine(2);
    const { id } = await guest.snapshot();
    await guest.mine();
    await guest.restore(id);
    await guest.removeSnapshot(id);
    guest.pause();
    await guest.remove();
    end();
    await host.create({ kind: 'evm', options: {} });
    expect(seen).toEqual([
      'guest-created',
      'guest-state running',
      'head 1',
      'head 2',
      'snapshot-taken s1',
      'head 3',
      'head 2',
      'snapshot-restored s1',
      'snapshot-removed s1',
      'guest-state paused',
      'guest-removed',
    ]);
  });

  test('a stopped guest answers nobody, and goes on where it was', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    await guest.mine(3);
    await guest.stop();
    await expect(guest.exec('eth_blockNumber')).rejects.toThrow(withCode('guest-stopped'));
    await guest.start();
    expect(await guest.exec('eth_blockNumber')).toBe('0x3');
  });

  test('a paused guest tells what it knows and does its work when resumed', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    guest.pause();
    expect(await guest.exec('eth_blockNumber')).toBe('0x0');
    const mined = guest.mine();
    expect([guest.head(), await guest.isReady()]).toEqual(['0', false]);
    guest.resume();
    expect([await mined, await guest.isReady()]).toEqual(['1', true]);
  });

  test('who waits for a paused guest hears of its end', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    guest.pause();
    const mined = expect(guest.mine()).rejects.toThrow(withCode('guest-stopped'));
    await guest.stop();
    await mined;
  });

  test('a removed guest is gone', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    await guest.remove();
    await guest.remove();
    expect(host.guests.size).toBe(0);
    await expect(guest.start()).rejects.toThrow(withCode('guest-removed'));
    await expect(guest.mine()).rejects.toThrow();
  });

  test('leaving its scope removes it', async () => {
    {
      await using guest = await host.create({ kind: 'evm', options: {} });
      expect(host.guests.size).toBe(1);
      await guest.mine();
    }
    expect(host.guests.size).toBe(0);
  });
});

describe('a guest’s door', () => {
  test('it opens at start, closes at stop', async () => {
    const guest = await host.create({ kind: 'evm', options: { port: 0 } });
    const { url } = guest.endpoints[0]!;
    expect(await ask(url, 'eth_chainId')).toBe('0x7a69');
    await guest.stop();
    expect(guest.endpoints).toEqual([]);
    await expect(ask(url, 'eth_chainId')).rejects.toThrow();
  });

  test('listen opens another', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    expect(guest.endpoints).toEqual([]);
    expect(await ask(await guest.listen(), 'eth_blockNumber')).toBe('0x0');
    expect(guest.endpoints.map(({ protocol }) => protocol)).toEqual(['http', 'ws']);
    expect(guest.usage().networkBytes).toBeGreaterThan(100);
    expect(guest.requests.read()).toMatchObject([
      { number: 1, transport: 'http', method: 'eth_blockNumber', error: undefined },
    ]);
  });

  test('a busy port names its holder, and the guest is not made', async () => {
    const first = await host.create({ kind: 'evm', name: 'l1', options: { port: 0 } });
    const port = Number(new URL(first.endpoints[0]!.url).port);
    const second = host.create({ kind: 'evm', name: 'l2', options: { port } });
    await expect(second).rejects.toThrow(/l1/);
    expect([...host.guests.keys()]).toEqual(['l1']);
  });

  test('a failed start leaves the guest as it was', async () => {
    const first = await host.create({ kind: 'evm', options: { port: 0 } });
    const port = Number(new URL(first.endpoints[0]!.url).port);
    const second = await host.create({ kind: 'evm', options: { port } }, { start: false });
    await expect(second.start()).rejects.toThrow(withCode('port-busy'));
    expect(second.state.name).toBe('created');
    await first.stop();
    await second.start();
    expect(second.state.name).toBe('running');
  });
});

describe('snapshots and forks', () => {
  test('going back undoes blocks; going sideways takes them again', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    await guest.snapshot('empty');
    await guest.mine(2);
    await guest.snapshot('two');
    await guest.restore('empty');
    expect(guest.head()).toBe('0');
    await guest.restore('two');
    expect([guest.head(), guest.snapshots.currentId]).toEqual(['2', 's2']);
  });

  test('a fork and its origin do not see each other', async () => {
    const origin = await host.create({ kind: 'evm', options: {} });
    await origin.mine(2);
    const fork = await origin.fork({ name: 'copy' });
    await fork.mine(5);
    await origin.mine(1);
    expect([origin.head(), fork.head(), fork.parent]).toEqual(['3', '7', origin.id]);
    const hash = async (guest: typeof fork, block: string): Promise<unknown> =>
      ((await guest.exec('eth_getBlockByNumber', block, false)) as { hash: string }).hash;
    expect(await hash(fork, '0x2')).toBe(await hash(origin, '0x2'));
  });

  test('a fork of a snapshot starts there, with no snapshots of its own', async () => {
    const origin = await host.create({ kind: 'evm', options: {} });
    await origin.snapshot('empty');
    await origin.mine(4);
    const fork = await origin.fork({ snapshot: 'empty' });
    expect([fork.head(), fork.snapshots.list()]).toEqual(['0', []]);
  });

  test('a fork does what its origin was about to do', async () => {
    const origin = await host.create({ kind: 'evm', options: {} });
    const [{ address: from } = { address: '' }] = origin.accounts;
    const raw = await origin.exec('eth_signTransaction', { from, to: from, ...FIRST_TRANSFER });
    origin.pause();
    const sent = origin.exec('eth_sendRawTransaction', raw);
    const fork = await origin.fork();
    await fork.isReady();
    expect([origin.head(), fork.head()]).toEqual(['0', '1']);
    origin.resume();
    expect(await fork.exec('eth_getTransactionReceipt', await sent)).toMatchObject({
      status: '0x1',
    });
  });

  test('a fork outlives its origin', async () => {
    const origin = await host.create({ kind: 'evm', options: {} });
    await origin.mine();
    const fork = await origin.fork();
    await origin.remove();
    expect([fork.head(), await fork.mine()]).toEqual(['1', '2']);
  });

  test('a fork of a guest with a port has another port', async () => {
    const origin = await host.create({ kind: 'evm', options: { port: 0 } });
    const fork = await origin.fork();
    expect(fork.endpoints[0]!.url).not.toBe(origin.endpoints[0]!.url);
  });

  test('many forks, or none', async () => {
    await using small = await createHost({ guestsMax: 4 });
    const origin = await small.create({ kind: 'evm', options: {} });
    await expect(origin.forkMany(4)).rejects.toThrow(withCode('guests-full'));
    expect(small.guests.size).toBe(1);
    const forks = await origin.forkMany(3);
    expect(forks.map(({ name }) => name)).toEqual(['evm-fork', 'evm-fork-2', 'evm-fork-3']);
  });

  test('an unknown snapshot', async () => {
    const guest = await host.create({ kind: 'evm', options: {} });
    await expect(guest.restore('none')).rejects.toThrow(withCode('no-snapshot'));
    await expect(guest.fork({ snapshot: 'none' })).rejects.toThrow(withCode('no-snapshot'));
  });
});

describe('limits', () => {
  /** Bytes that a chain with `codeBytes` of code in its genesis holds. */
  const spec = (codeBytes: number, limits: { memory?: number; storage?: number }) => ({
    kind: 'evm' as const,
    ...limits,
    options: { alloc: { [`0x${'11'.repeat(20)}`]: { code: `0x${'00'.repeat(codeBytes)}` } } },
  });

  test.each([
    ['memory', 'memoryBytes', 'memory-limit'],
    ['storage', 'storageBytes', 'storage-quota'],
  ] as const)('%s: exactly the limit is allowed, a byte more is not', async (limit, used, code) => {
    const codeBytes = 1_100_000;
    const size = (await host.create(spec(codeBytes, {}))).usage()[used];
    for (const [bytes, state] of [
      [size + 1, 'running'],
      [size, 'running'],
      [size - 1, 'failed'],
    ] as const) {
      const guest = await host.create(spec(codeBytes, { [limit]: bytes }));
      await guest.isReady().catch(() => {});
      expect([bytes - size, guest.state.name]).toEqual([bytes - size, state]);
      if (state === 'failed') expect(guest.state).toMatchObject({ reason: { code } });
    }
  });

  test('a guest over its limit fails alone, says why, and runs again from a snapshot', async () => {
    const other = await host.create({ kind: 'evm', options: {} });
    const guest = await host.create({ kind: 'evm', memory: '1MiB', options: { port: 0 } });
    const { url } = guest.endpoints[0]!;
    await guest.snapshot('small');
    const grow = guest.exec('hardhat_setCode', `0x${'22'.repeat(20)}`, `0x${'00'.repeat(2 ** 20)}`);
    await expect(grow).rejects.toThrow('memory-limit');
    expect(guest.state).toMatchObject({ name: 'failed', reason: { code: 'memory-limit' } });
    await expect(guest.mine()).rejects.toThrow(withCode('guest-failed'));
    await expect(ask(url, 'eth_blockNumber')).rejects.toThrow('memory-limit');
    expect(await other.mine()).toBe('1');
    await guest.restore('small');
    expect([await guest.mine(), await ask(url, 'eth_blockNumber')]).toEqual(['1', '0x1']);
  });
});

describe('time', () => {
  test('interval mining makes blocks by the host’s clock, and none while paused', async () => {
    const clock = new FakeClock();
    await using timed = await createHost({ clock });
    const guest = await timed.create({ kind: 'evm', options: { blockTime: 2 } });
    clock.advance(1999);
    expect(guest.head()).toBe('0');
    clock.advance(1);
    expect(guest.head()).toBe('1');
    clock.advance(6000);
    expect(guest.head()).toBe('4');
    guest.pause();
    clock.advance(10_000);
    expect(guest.head()).toBe('4');
    guest.resume();
    clock.advance(1);
    expect(guest.head()).toBe('5');
  });

  test('warp moves the chain’s clock', async () => {
    const clock = new FakeClock();
    await using timed = await createHost({ clock });
    const guest = await timed.create({ kind: 'evm', options: {} });
    expect(await guest.warp(1000)).toBe(clock.unixMs() / 1000 + 1000);
    clock.advance(5000);
    await guest.mine();
    const head = (await guest.exec('eth_getBlockByNumber', 'latest', false)) as {
      timestamp: string;
    };
    expect(Number(head.timestamp)).toBe(clock.unixMs() / 1000 + 1000);
  });
});

function describeEvent(event: HostEvent): string {
  switch (event.kind) {
    case 'guest-state':
      return `${event.kind} ${event.state}`;
    case 'head':
      return `head ${event.head}`;
    case 'guest-created':
    case 'guest-removed':
      return event.kind;
    default:
      return `${event.kind} ${event.snapshot}`;
  }
}

async function ask(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result: unknown; error?: Error };
  if (error !== undefined) throw new Error(error.message);
  return result;
}

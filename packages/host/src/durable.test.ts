import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '@polyvisor/store/database';
import type { Guest } from './guest.ts';
import { createHost } from './host.ts';
import type { Host } from './host.ts';
import type { EvmFaces } from './kinds/evm-types.ts';

let directory: string;
let host: Host;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'polyvisor-host-'));
  host = await createHost({ dataDirectory: directory });
});
afterEach(async () => {
  await host.close();
  rmSync(directory, { recursive: true });
});

async function restart(): Promise<void> {
  await host.close();
  host = await createHost({ dataDirectory: directory });
}

const withCode = (code: string): string => expect.objectContaining({ code }) as unknown as string;
const RECIPIENT = `0x${'ab'.repeat(20)}`;

async function create(name: string, limits: { storage?: number } = {}): Promise<Guest & EvmFaces> {
  return await host.create({ kind: 'evm', name, ...limits, options: {} });
}

async function send(guest: Guest & EvmFaces, wei: number): Promise<unknown> {
  const [{ address: from } = { address: '' }] = guest.accounts;
  const value = `0x${wei.toString(16)}`;
  return await guest.exec('eth_sendTransaction', { from, to: RECIPIENT, value });
}

/** What a client can see of a chain. */
async function view(guest: Guest): Promise<unknown> {
  return {
    id: guest.id,
    head: guest.head(),
    block: await guest.exec('eth_getBlockByNumber', 'latest', true),
    balance: await guest.exec('eth_getBalance', RECIPIENT, 'latest'),
    accounts: await guest.exec('eth_accounts'),
    snapshots: guest.snapshots.list(),
    current: guest.snapshots.currentId,
    options: JSON.parse(JSON.stringify((guest as unknown as { options: unknown }).options)),
  };
}

describe('a restart', () => {
  test('every guest is there again, as it was', async () => {
    const first = await create('a');
    await send(first, 7);
    await first.snapshot('seven');
    await send(first, 5);
    const second = await create('b');
    await second.mine(200);
    const before = [await view(first), await view(second)];
    await restart();
    expect([await view(host.guest('a')), await view(host.guest('b'))]).toEqual(before);
  });

  test('each is in the state that the last verb left', async () => {
    await create('running');
    (await create('paused')).pause();
    await (await create('stopped')).stop();
    await host.create({ kind: 'evm', name: 'created', options: {} }, { start: false });
    const states = (): [string, string][] =>
      [...host.guests.values()].map(({ name, state }) => [name, state.name]);
    const before = new Map(states());
    for (let times = 0; times < 2; times++) {
      await restart();
      expect(new Map(states())).toEqual(before);
    }
  });

  test('the chain goes on', async () => {
    await send(await create('a'), 7);
    await restart();
    const guest = host.guest('a') as unknown as Guest & EvmFaces;
    await send(guest, 5);
    expect([guest.head(), await guest.exec('eth_getBalance', RECIPIENT, 'latest')]).toEqual([
      '2',
      '0xc',
    ]);
  });

  test('snapshots can be gone back to, across restarts and in any order', async () => {
    const guest = await create('a');
    const heads = new Map<string, unknown>();
    const seen = async (now: Guest): Promise<unknown> => [
      now.head(),
      await now.exec('eth_getBlockByNumber', 'latest', false),
      await now.exec('eth_getBalance', RECIPIENT, 'latest'),
    ];
    for (const [name, from] of [
      ['s1', undefined],
      ['s2', 's1'],
      ['s3', 's2'],
      ['s4', 's1'],
      ['s5', 's4'],
    ] as const) {
      if (from !== undefined) await guest.restore(from);
      await send(guest, Number(name.slice(1)));
      await guest.snapshot();
      heads.set(name, await seen(guest));
    }
    await restart();
    // Its children s3 and its own place in the tree go to s1.
    await host.guest('a').removeSnapshot('s2');
    await restart();
    expect(
      host
        .guest('a')
        .snapshots.list()
        .map(({ id, parent }) => [id, parent]),
    ).toEqual([
      ['s1', undefined],
      ['s3', 's1'],
      ['s4', 's1'],
      ['s5', 's4'],
    ]);
    for (const name of ['s3', 's1', 's5', 's4', 's3']) {
      await host.guest('a').restore(name);
      expect(await seen(host.guest('a'))).toEqual(heads.get(name));
      await restart();
      expect(host.guest('a').snapshots.currentId).toBe(name);
      expect(await seen(host.guest('a'))).toEqual(heads.get(name));
    }
  });

  test('a fork is a guest of its own', async () => {
    const origin = await create('a');
    await send(origin, 7);
    await send(await origin.fork({ name: 'b' }), 5);
    await origin.remove();
    await restart();
    expect([...host.guests.keys()]).toEqual(['b']);
    expect(await host.guest('b').exec('eth_getBalance', RECIPIENT, 'latest')).toBe('0xc');
  });

  test('a transaction that waited is mined when the guest goes on', async () => {
    const guest = await create('a');
    const [{ address: from } = { address: '' }] = guest.accounts;
    const transfer = { from, to: RECIPIENT, value: '0x7', gas: '0x5208', gasPrice: '0x77359400' };
    const raw = await guest.exec('eth_signTransaction', { ...transfer, nonce: '0x0' });
    guest.pause();
    const gone = expect(guest.exec('eth_sendRawTransaction', raw)).rejects.toThrow('stopped');
    await restart();
    await gone;
    const again = host.guest('a');
    expect([again.state.name, again.head()]).toEqual(['paused', '0']);
    again.resume();
    await again.isReady();
    expect([again.head(), await again.exec('eth_getBalance', RECIPIENT, 'latest')]).toEqual([
      '1',
      '0x7',
    ]);
  });

  test('a fork of a snapshot has its state, and no snapshots', async () => {
    const origin = await create('a');
    await send(origin, 7);
    await origin.snapshot('seven');
    await send(origin, 5);
    await origin.snapshot('twelve');
    const fork = await origin.fork({ name: 'b', snapshot: 'seven' });
    await restart();
    const stored = host.guest('b');
    expect([stored.id, stored.parent, stored.head()]).toEqual([fork.id, origin.id, '1']);
    expect(await stored.exec('eth_getBalance', RECIPIENT, 'latest')).toBe('0x7');
    expect([stored.snapshots.list(), stored.snapshots.currentId]).toEqual([[], undefined]);
    expect((await stored.snapshot()).id).toBe('s1');
    expect(host.guest('a').snapshots.list()).toHaveLength(2);
  });

  test('a removed guest is gone, and so is its file', async () => {
    await (await create('a')).remove();
    expect(readdirSync(join(directory, 'guests'))).toEqual([]);
    await restart();
    expect(host.guests.size).toBe(0);
  });

  test('a guest whose port was taken meanwhile stays stopped, and is tried again', async () => {
    const guest = await host.create({ kind: 'evm', name: 'a', options: { port: 0 } });
    const port = Number(new URL(guest.endpoints[0]?.url ?? '').port);
    await guest.remove();
    await host.create({ kind: 'evm', name: 'a', options: { port } });
    await host.close();
    {
      await using other = await createHost();
      await other.create({ kind: 'evm', options: { port } });
      host = await createHost({ dataDirectory: directory });
      expect(host.guest('a').state.name).toBe('stopped');
    }
    await restart();
    expect(host.guest('a').state.name).toBe('running');
  });
});

describe('quota', () => {
  test('a commit that does not fit fails the guest alone, and loses nothing kept', async () => {
    const other = await create('other');
    const guest = await create('small', { storage: 200 * 1024 });
    let kept = 0;
    const fill = async (): Promise<void> => {
      for (;;) {
        await send(guest, 1);
        kept++;
      }
    };
    await expect(fill()).rejects.toThrow(/storage-quota/);
    expect(guest.state).toMatchObject({ name: 'failed', reason: { code: 'storage-quota' } });
    await expect(send(guest, 1)).rejects.toThrow(withCode('guest-failed'));
    await send(other, 1);
    expect(other.state.name).toBe('running');
    await restart();
    expect([host.guest('small').head(), kept > 10]).toEqual([String(kept), true]);
  });
});

describe('damage', () => {
  test('a guest whose file is no database comes back failed; the others start', async () => {
    const guest = await create('a');
    await create('b');
    const file = join(directory, 'guests', `${guest.id}.db`);
    await host.close();
    writeFileSync(file, 'garbage '.repeat(1000));
    host = await createHost({ dataDirectory: directory });
    expect(host.guest('b').state.name).toBe('running');
    expect(host.guest(guest.id).state).toMatchObject({
      name: 'failed',
      reason: { code: 'corrupt-state' },
    });
    expect(readFileSync(file, 'utf8')).toMatch('garbage');
    await host.guest(guest.id).remove();
    expect(host.guests.size).toBe(1);
  });

  test('a guest whose rows contradict each other comes back failed, under its name', async () => {
    const guest = await create('a');
    await send(guest, 7);
    await host.close();
    {
      using database = openDatabase(join(directory, 'guests', `${guest.id}.db`));
      const [[key] = ['']] = database.entries('accounts');
      database.commit([{ table: 'accounts', key, value: undefined }]);
    }
    host = await createHost({ dataDirectory: directory });
    expect(host.guest('a').state).toMatchObject({ reason: { code: 'corrupt-state' } });
    await expect(host.guest('a').mine()).rejects.toThrow(withCode('guest-failed'));
  });

  test('what a host left that died while it made a guest is cleared away', async () => {
    openDatabase(join(directory, 'guests', 'half.db')).close();
    openDatabase(join(directory, 'guests', 'copy.new')).close();
    await restart();
    expect([host.guests.size, readdirSync(join(directory, 'guests'))]).toEqual([0, []]);
  });
});

describe('the directory', () => {
  test('one host has it at a time, and says who', async () => {
    await expect(createHost({ dataDirectory: directory })).rejects.toThrow(
      new RegExp(`process ${process.pid}`),
    );
  });

  test('a path that can’t be made', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    await expect(createHost({ dataDirectory: join(file, 'x') })).rejects.toThrow(
      withCode('data-directory'),
    );
  });
});

import { mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Guest } from '../../guest.ts';
import { createHost } from '../../host.ts';
import type { Host } from '../../host.ts';
import { CountingComputer } from '../../testing/counting-computer.ts';
import { TemporaryDirectory } from '../../testing/temporary-directory.ts';
import type { LinuxOptions } from './linux-types.ts';

const code = (name: string): unknown => expect.objectContaining({ code: name });
const bytes = (text: string): Uint8Array => Buffer.from(text);

let host: Host;
let computer: CountingComputer;

beforeEach(async () => {
  computer = new CountingComputer();
  host = await createHost();
});

afterEach(async () => {
  await host.close();
  computer[Symbol.dispose]();
});

async function boot(name = 'box'): Promise<Guest> {
  const guest = await host.create({ kind: 'linux', name, options: computer.options });
  await untilSaid(guest, 'ok\n');
  return guest;
}

/** Resolves once the terminal has said something, from its beginning on or after `from` bytes. */
async function untilSaid({ console }: Guest, text: string, from = 0): Promise<void> {
  const said = (): boolean =>
    Buffer.from(console.recent().subarray(from)).toString('latin1').includes(text);
  if (said()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = console.on(() => {
    if (said()) resolve();
  });
  await promise;
  end();
}

/** Types something, and waits for what the guest says to it. */
async function ask(guest: Guest, typed: string, answer: string): Promise<void> {
  const from = guest.console.recent().length;
  guest.console.write(bytes(typed));
  await untilSaid(guest, answer, from);
}

async function untilState(guest: Guest, state: string): Promise<void> {
  if (guest.state.name === state) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = host.on(() => {
    if (guest.state.name === state) resolve();
  });
  await promise;
  end();
}

describe('a computer', () => {
  test('boots, and answers what is typed', async () => {
    const guest = await boot();
    await ask(guest, 'ab', 'a1b2');
    expect(guest.usage().work).toBeGreaterThan(0n);
    expect(Object.fromEntries(guest.facts())).toMatchObject({ ram: '16 MiB' });
    expect(guest.head()).toMatch(/^\d+ s$/);
  });

  test('is off once it powers off, and boots anew when it is started', async () => {
    const guest = await boot();
    await ask(guest, 'a', 'a1');
    guest.console.write(bytes('q'));
    await untilState(guest, 'stopped');
    expect(guest.head()).toBe('off');
    await expect(guest.snapshot()).rejects.toThrow(code('guest-off'));
    const from = guest.console.recent().length;
    await guest.start();
    await untilSaid(guest, 'ok\n', from);
    await ask(guest, 'b', 'b1');
  });

  test('that resets boots again by itself', async () => {
    const guest = await boot();
    await ask(guest, 'a', 'a1');
    await ask(guest, 'r', 'ok\n');
    await ask(guest, 'b', 'b1');
  });

  test('that is stopped goes on where it was', async () => {
    const guest = await boot();
    await ask(guest, 'a', 'a1');
    await guest.stop();
    guest.console.write(bytes('b'));
    await guest.start();
    await untilSaid(guest, 'b2');
  });

  test('goes back to its snapshots, as often as one likes', async () => {
    const guest = await boot();
    await ask(guest, 'abc', 'c3');
    await guest.snapshot('three');
    for (let round = 0; round < 3; round++) {
      await ask(guest, 'd', 'd4');
      await guest.restore('three');
    }
    await guest.removeSnapshot('three');
    await ask(guest, 'e', 'e4');
  });

  test('and its forks go their own ways', async () => {
    const guest = await boot();
    await ask(guest, 'a', 'a1');
    await guest.snapshot('one');
    await ask(guest, 'b', 'b2');
    const now = await guest.fork();
    const past = await guest.fork({ snapshot: 'one' });
    await ask(guest, 'c', 'c3');
    await ask(now, 'd', 'd3');
    await ask(past, 'e', 'e2');
    await guest.remove();
    await ask(now, 'f', 'f4');
    expect(now.parent).toBe(guest.id);
  });

  test('takes no more typing than it has room for', async () => {
    const guest = await boot();
    await guest.stop();
    expect(guest.console.write(new Uint8Array(2 ** 20 + 1))).toBe(2 ** 20);
    expect(guest.console.write(bytes('a'))).toBe(0);
  });
});

describe('what can not be', () => {
  test.each<[options: object, message: RegExp]>([
    [{ kernel: 'k', ram: '1MiB' }, /ram: 1048576 is out of range/],
    [{ kernel: 'k', ram: '5GiB' }, /ram: 5368709120 is out of range/],
    [{ kernel: 'k', forwards: ['80'] }, /'80' is no port forward/],
    [{ kernel: 'k', forwards: ['80:0'] }, /forwards: 0 is out of range/],
    [{ kernel: 'k', forwards: ['300.1.1.1:80:80'] }, /no port forward/],
    [{ kernel: 'k', commandLine: 'x'.repeat(1025) }, /commandLine/],
    [{ kernel: 'k', disks: [{}] }, /disks\[0\]: it has neither a file nor a size/],
    [{ kernel: 'k', disks: [{ size: '1MiB', format: 'qcow2' }] }, /no file in format qcow2/],
    [{ kernel: 'k', disks: [{ size: 4095 }] }, /disks\[0\]\.size: 4095 is out of range/],
    [{ kernel: 'k', disks: [{ size: 2 ** 44 + 1 }] }, /is out of range/],
    [
      { kernel: 'k', disks: Array.from({ length: 17 }, () => ({ size: '1MiB' })) },
      /disks: there are 17 of them/,
    ],
    [{ kernel: 'k', colour: 'red' }, /colour: there is no such option/],
    [{ kernel: 'k', ram: '2GiB' }, /2 GiB of RAM are more than the guest's memory limit of 1 GiB/],
  ])('%j', async (options, message) => {
    const made = host.create({ kind: 'linux', options: options as LinuxOptions });
    await expect(made).rejects.toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }),
    );
  });

  test('a kernel that is not there', async () => {
    const options = { kernel: '/nowhere/Image' };
    await expect(host.create({ kind: 'linux', options })).rejects.toThrow(code('boot-file'));
    expect(host.guests.size).toBe(0);
  });

  test('an image that is not there', async () => {
    const made = host.create({ kind: 'linux', options: { image: 'none-of-this-name' } });
    await expect(made).rejects.toThrow(code('no-image'));
  });

  test('a rule that can not be read', async () => {
    const network = { allow: ['every where'] };
    const made = host.create({ kind: 'linux', network, options: computer.options });
    await expect(made).rejects.toThrow(code('net-option'));
  });

  test('the terminal of a chain', async () => {
    const chain = await host.create({ kind: 'evm', options: {} });
    expect(() => chain.console).toThrow(code('not-supported'));
  });
});

describe('port forwards', () => {
  test('are open while the computer runs; a fork has ports of its own', async () => {
    const options = { ...computer.options, forwards: ['0:80'] };
    const guest = await host.create({ kind: 'linux', name: 'web', options });
    const fork = await guest.fork();
    const [first, second] = [guest, fork].map(({ endpoints }) => endpoints[0]!.url);
    expect(first).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    expect(second).not.toBe(first);
    await guest.stop();
    expect(guest.endpoints).toEqual([]);
  });

  test('to a port that is taken keep the computer from starting', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const options = { ...computer.options, forwards: [`${port}:80`] };
    await expect(host.create({ kind: 'linux', options })).rejects.toThrow(code('port-busy'));
    server.close();
  });
});

test('with a data directory it is there after a restart of the host, and boots again', async () => {
  using directory = new TemporaryDirectory();
  const dataDirectory = directory.path;
  await host.close();
  host = await createHost({ dataDirectory });
  const guest = await boot();
  await ask(guest, 'a', 'a1');
  await guest.snapshot('one');
  await guest.fork({ name: 'child' });
  await guest.restore('one');
  await ask(guest, 'b', 'b2');
  await host.close();
  host = await createHost({ dataDirectory });
  expect([...host.guests.keys()].toSorted()).toEqual(['box', 'child']);
  const again = host.guest('box');
  expect(again.snapshots.list()).toEqual([]);
  await untilSaid(again, 'ok\n');
  await ask(again, 'b', 'b1');
});

test('with a data directory its disks are in files of its own, which go with it', async () => {
  using directory = new TemporaryDirectory();
  const dataDirectory = directory.path;
  const guests = join(dataDirectory, 'guests');
  const folders = (): string[] => readdirSync(guests).filter((name) => name.endsWith('.files'));
  await host.close();
  host = await createHost({ dataDirectory });
  const options = { ...computer.options, disks: [{ size: '1MiB' }] };
  const guest = await host.create({ kind: 'linux', name: 'box', options });
  await guest.snapshot('one');
  const fork = await guest.fork({ snapshot: 'one' });
  expect(folders().toSorted()).toEqual([`${guest.id}.files`, `${fork.id}.files`].toSorted());
  await guest.restore('one');
  await fork.remove();
  const other = { ...options, kernel: '/nowhere/Image' };
  await expect(host.create({ kind: 'linux', options: other })).rejects.toThrow(code('boot-file'));
  expect(folders()).toEqual([`${guest.id}.files`]);
  await host.close();
  mkdirSync(join(guests, 'unfinished.files'));
  host = await createHost({ dataDirectory });
  expect(host.guest('box').state.name).toBe('running');
  expect(folders()).toEqual([`${guest.id}.files`]);
  await host.guest('box').remove();
  expect(folders()).toEqual([]);
});

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostError } from '@polyvisor/errors/host-error';
import { SendQueue } from '@polyvisor/net/tcp/send-queue';
import { COMMANDS_MAX, GuestAgent, OUTPUT_BYTES_MAX } from './guest-agent.ts';
import { feed } from './feed.ts';
import { CONSOLE_KEPT_BYTES_MAX, SerialConsole } from './serial-console.ts';
import { scriptOf } from './shell-script.ts';

const SEED = 20_261_125;
const code = (name: string): unknown => expect.objectContaining({ code: name });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** An agent, what it sent, and a way to answer. */
function setUp() {
  const sent: string[] = [];
  const agent = new GuestAgent((bytes) => void sent.push(text(bytes)), 'p');
  return { agent, sent, say: (line: string) => agent.receive(Buffer.from(line)) };
}

describe('the agent of a guest', () => {
  test('runs commands; output comes in pieces, and ends apart', async () => {
    const { agent, sent, say } = setUp();
    const seen: string[] = [];
    const onOutput = (stream: string, bytes: Uint8Array): void =>
      void seen.push(`${stream} ${text(bytes)}`);
    const first = agent.run('echo', { onOutput });
    const second = agent.run('false');
    expect(sent).toEqual([`run p1 ${base64('echo')}\n`, `run p2 ${base64('false')}\n`]);
    say(`out p1 ${base64('a')}\nerr p1 ${base64('b')}\nend p2 1\nou`);
    say(`t p1 ${base64('c')}\nend p1 0\n`);
    const { exitCode, stdout, stderr } = await first;
    expect([exitCode, text(stdout), text(stderr)]).toEqual([0, 'ac', 'b']);
    expect(seen).toEqual(['stdout a', 'stderr b', 'stdout c']);
    expect((await second).exitCode).toBe(1);
  });

  test('is ready once it says hello', async () => {
    const { agent, say } = setUp();
    const ready = agent.ready();
    expect(agent.isReady).toBe(false);
    say('hello 1\r\n');
    await ready;
    expect(agent.isReady).toBe(true);
  });

  test('what a command reads is put before it begins', async () => {
    const { agent, sent, say } = setUp();
    const running = agent.run('cat', { stdin: 'in' });
    const path = base64('/run/polyvisor/p1.in');
    expect(sent).toEqual([`put p1-in ${path} ${base64('in')}\n`, `run p1 ${base64('cat')}\n`]);
    say('end p1-in 0\nend p1 0\n');
    expect((await running).exitCode).toBe(0);
  });

  test('commands end with the agent that ran them', async () => {
    const { agent, say } = setUp();
    say('hello 1\n');
    const running = agent.run('sleep');
    say('hello 1\n');
    await expect(running).rejects.toThrow(code('guest-restarted'));
    expect(agent.isReady).toBe(true);
  });

  test('commands end with the machine that they ran in; what is said to them later is dropped', async () => {
    const { agent, say } = setUp();
    say('hello 1\nou');
    const state = agent.state();
    const running = agent.run('sleep');
    agent.restore(state);
    await expect(running).rejects.toThrow(code('guest-restored'));
    say(`t p1 ${base64('a')}\nend p1 0\n`);
    expect(agent.isReady).toBe(true);
    const waiting = setUp().agent;
    const ready = waiting.ready();
    waiting.end(new HostError('guest-stopped', 'gone'));
    await expect(ready).rejects.toThrow(code('guest-stopped'));
  });

  test('one that prints without end is ended', async () => {
    const { agent, sent, say } = setUp();
    const running = agent.run('yes');
    const line = `out p1 ${Buffer.alloc(2 ** 13).toString('base64')}\n`;
    const failed = expect(running).rejects.toThrow(code('output-limit'));
    for (let bytes = 0; bytes <= OUTPUT_BYTES_MAX; bytes += 2 ** 13) say(line);
    await failed;
    expect(sent.at(-1)).toBe('kill p1\n');
  });

  test('no more than so many run at a time', async () => {
    const { agent } = setUp();
    const running = Array.from({ length: COMMANDS_MAX }, () => agent.run('sleep'));
    await expect(agent.run('sleep')).rejects.toThrow(code('agent-busy'));
    agent.end(new HostError('guest-stopped', 'gone'));
    await Promise.allSettled(running);
  });

  test(`whatever a guest says, nothing breaks (seed ${SEED})`, () => {
    const words = fc.constantFrom('hello', 'out', 'err', 'end', 'p1', '0', '-', ' ', '\n', 'é');
    const said = fc.array(fc.oneof(words, fc.string()), { maxLength: 40 });
    fc.assert(
      fc.property(said, (parts) => {
        const { agent } = setUp();
        agent.run('x').catch(() => {});
        agent.receive(Buffer.from(parts.join('')));
        agent.end(new HostError('guest-stopped', 'gone'));
      }),
      { seed: SEED },
    );
  });

  test('files go over in pieces', async () => {
    const { agent, sent, say } = setUp();
    const written = agent.append('/a b', new Uint8Array(30_000));
    say('end p1 0\n');
    await Promise.resolve();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    say('end p2 1\n');
    await expect(written).rejects.toThrow(code('command-failed'));
    const sizes = sent.map((line) => Buffer.from(line.trim().split(' ')[3]!, 'base64').length);
    expect(sizes).toEqual([24_576, 5424]);
    expect(sent[0]).toMatch(`put p1 ${base64('/a b')} `);
  });
});

describe('commands as a line of a shell', () => {
  test.runIf(process.platform !== 'win32')(`any words arrive as they are (seed ${SEED})`, () => {
    const word = fc
      .string({ unit: 'binary', maxLength: 20 })
      .filter((w) => !/[\0\ud800-\udfff]/.test(w));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const script = scriptOf([
          process.execPath,
          '-p',
          'JSON.stringify(process.argv.slice(1))',
          '--',
          ...words,
        ]);
        const { stdout } = spawnSync('/bin/sh', ['-c', script]);
        expect(JSON.parse(stdout.toString())).toEqual(words);
      }),
      { seed: SEED, numRuns: 20 },
    );
  });

  test('have their own directory and variables', () => {
    const environment = { NAME: "it's" };
    expect(scriptOf(['env'], { directory: '/a b', environment })).toBe(
      "cd '/a b' && NAME='it'\\''s' env",
    );
  });

  test.each([[[]], [['']], [['a\0b']]])('%j is none', (words) => {
    expect(() => scriptOf(words)).toThrow(code('bad-command'));
  });

  test('a variable has a name', () => {
    expect(() => scriptOf(['a'], { environment: { 'A-B': '1' } })).toThrow(code('bad-command'));
  });
});

test('a terminal keeps the newest of what it said', () => {
  const console = new SerialConsole(() => {});
  const seen: number[] = [];
  const end = console.on((bytes) => void seen.push(bytes.length));
  for (let i = 0; i < 600; i++) console.output(new Uint8Array(1024).fill(i));
  end();
  console.output(Uint8Array.of(255));
  const recent = console.recent();
  expect(recent.length).toBe(CONSOLE_KEPT_BYTES_MAX);
  expect([recent.at(-2), recent.at(-1)]).toEqual([599 & 255, 255]);
  expect(seen.length).toBe(600);
});

test('a device takes what waits as it has room', () => {
  const queue = new SendQueue();
  for (const part of ['abc', '', 'def']) queue.push(Buffer.from(part));
  let taken = '';
  const take = (room: number): void => {
    let left = room;
    feed(queue, (bytes) => {
      const count = Math.min(left, bytes.length);
      taken += text(bytes.subarray(0, count));
      left -= count;
      return count;
    });
  };
  take(4);
  expect([taken, queue.length]).toEqual(['abcd', 2]);
  take(10);
  expect([taken, queue.length]).toEqual(['abcdef', 0]);
});

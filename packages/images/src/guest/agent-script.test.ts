import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AGENT_HELLO,
  AGENT_ID_LENGTH_MAX,
  AGENT_PIECE_BYTES,
  agentScript,
} from './agent-script.ts';

const busybox = spawnSync('busybox', ['sh', '-c', 'command -v busybox']).stdout;
const shells = [['sh']];
if (busybox?.length > 0) shells.push(['busybox', 'sh']);
else console.warn('busybox is not installed: the agent is tested with sh alone');

/** The host's side of the conversation. */
class Conversation {
  readonly ended = new Map<string, number>();
  readonly #process: ChildProcess;
  readonly #output = new Map<string, Buffer[]>();
  readonly lines: string[] = [];
  #rest = '';
  #onLine: (() => void) | undefined;

  constructor([program, ...words]: readonly string[], path: string) {
    const environment = { POLYVISOR_DEVICE: '', POLYVISOR_DIRECTORY: join(path, 'run') };
    const script = join(path, 'agent');
    writeFileSync(script, agentScript);
    this.#process = spawn(program!, [...words, script], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process.stdout!.on('data', (data: Buffer) => this.#read(data.toString('latin1')));
    this.#process.stdout!.on('end', () => {
      this.lines.push('eof');
      this.#onLine?.();
    });
  }

  say(...lines: readonly string[]): void {
    this.#process.stdin!.write(`${lines.join('\n')}\n`);
  }

  async run(id: string, script: string): Promise<number> {
    this.say(`run ${id} ${base64(script)}`);
    return await this.end(id);
  }

  async end(id: string): Promise<number> {
    await this.until(() => this.ended.has(id));
    return this.ended.get(id)!;
  }

  output(kind: 'out' | 'err', id: string): Buffer {
    return Buffer.concat(this.#output.get(`${kind} ${id}`) ?? []);
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLine = resolve;
      await promise;
    }
  }

  async close(): Promise<void> {
    this.#process.stdin!.end();
    await this.until(() => this.lines.at(-1) === 'eof');
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#take(line);
    this.#onLine?.();
  }

  #take(line: string): void {
    this.lines.push(line);
    const [kind, id, value] = line.split(' ') as [string, string, string];
    expect(line).toMatch(/^(hello 1|(out|err) \S+ [\w+/]+={0,2}|end \S+ \d{1,3})$/);
    // After its end a command says nothing.
    expect(this.ended.has(id)).toBe(false);
    if (kind === 'end') this.ended.set(id, Number(value));
    if (kind !== 'out' && kind !== 'err') return;
    const bytes = Buffer.from(value, 'base64');
    expect(bytes.length).toBeLessThanOrEqual(AGENT_PIECE_BYTES);
    const parts = this.#output.get(`${kind} ${id}`);
    if (parts) parts.push(bytes);
    else this.#output.set(`${kind} ${id}`, [bytes]);
  }
}

function base64(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as Uint8Array).toString('base64') || '-';
}

describe.each(shells.map((words) => ({ words })))('with $words', ({ words }) => {
  let directory: string;
  let guest: Conversation;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'polyvisor-agent-'));
    guest = new Conversation(words, directory);
    await guest.until(() => guest.lines.length > 0);
    expect(guest.lines).toEqual([AGENT_HELLO]);
  });
  afterEach(async () => {
    await guest.close();
    rmSync(directory, { recursive: true });
  });

  test('a command has its status, and both outputs apart', async () => {
    expect(await guest.run('a', 'echo one; echo two >&2; exit 7')).toBe(7);
    expect(guest.output('out', 'a').toString()).toBe('one\n');
    expect(guest.output('err', 'a').toString()).toBe('two\n');
    expect(await guest.run('b', 'kill -TERM $$')).toBe(128 + 15);
    expect(await guest.run('c', 'true')).toBe(0);
    expect(await guest.run('d', 'no-such-command')).toBe(127);
    expect(await guest.run('e', '-x')).toBe(127);
    expect(guest.lines.at(-1)).toBe('end e 127');
  });

  test('standard input is what was put, or nothing', async () => {
    const input = join(directory, 'run/a.in');
    guest.say(`put p ${base64(input)} ${base64('first ')}`);
    guest.say(`put q ${base64(input)} ${base64('second')}`);
    expect(await guest.run('a', 'cat')).toBe(0);
    expect(guest.output('out', 'a').toString()).toBe('first second');
    expect([guest.ended.get('p'), guest.ended.get('q')]).toEqual([0, 0]);
    expect(await guest.run('b', 'cat')).toBe(0);
    expect(guest.output('out', 'b')).toHaveLength(0);
  });

  test('a file of any bytes, in lines of any length', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_each, index) => (index * index) >> 3);
    const path = join(directory, 'a file');
    guest.say(`put p ${base64(path)} ${base64(bytes.subarray(0, 48_000))}`);
    guest.say(`put q ${base64(path)} -`, `put r ${base64(path)} ${base64(bytes.subarray(48_000))}`);
    expect(await guest.end('r')).toBe(0);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('a file that cannot be written says why', async () => {
    guest.say(`put p ${base64(join(directory, 'none/file'))} ${base64('x')}`);
    expect(await guest.end('p')).not.toBe(0);
    expect(guest.output('err', 'p').toString()).toMatch(/none\/file/);
  });

  test('output of any bytes and any length, with nothing lost or out of order', async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_each, index) => (index * 7919) >> 5);
    const path = join(directory, 'bytes');
    writeFileSync(path, bytes);
    expect(await guest.run('a', `cat '${path}'; cat '${path}' >&2; exit 3`)).toBe(3);
    expect(guest.output('out', 'a').equals(bytes)).toBe(true);
    expect(guest.output('err', 'a').equals(bytes)).toBe(true);
  });

  const around = (count: number): number[] => [-2, -1, 0, 1, 2].map((more) => count + more);
  test.for([0, 1, 2, 3, ...[740, 768, 65_508, 65_536].flatMap(around)])(
    '%i bytes are as many',
    async (count) => {
      const path = join(directory, 'bytes');
      writeFileSync(path, new Uint8Array(count).fill(255));
      expect(await guest.run('a', `cat '${path}'`)).toBe(0);
      expect(guest.output('out', 'a')).toHaveLength(count);
    },
  );

  test('output comes while the command runs', async () => {
    spawnSync('mkfifo', [join(directory, 'fifo')]);
    guest.say(`run a ${base64(`echo here; read line <'${directory}/fifo'; echo "$line"`)}`);
    await guest.until(() => guest.output('out', 'a').toString() === 'here\n');
    expect(guest.ended.has('a')).toBe(false);
    expect(await guest.run('b', `echo there >'${directory}/fifo'`)).toBe(0);
    expect(await guest.end('a')).toBe(0);
    expect(guest.output('out', 'a').toString()).toBe('here\nthere\n');
  });

  test('many commands at once keep their lines whole', async () => {
    const ids = Array.from({ length: 12 }, (_each, index) => `c${index}`);
    guest.say(
      ...ids.map((id, index) => {
        const script = `i=0; while [ $i -lt 200 ]; do echo ${id} line $i; i=$((i + 1)); done`;
        return `run ${id} ${base64(`${script}; exit ${index}`)}`;
      }),
    );
    for (const [index, id] of ids.entries()) {
      expect(await guest.end(id)).toBe(index);
      const text = Array.from({ length: 200 }, (_each, line) => `${id} line ${line}\n`).join('');
      expect(guest.output('out', id).toString()).toBe(text);
    }
  });

  test('a command that is killed ends, with those that it began', async () => {
    guest.say(`run a ${base64('cat /dev/zero | cat >/dev/null & echo on; wait')}`);
    await guest.until(() => guest.output('out', 'a').length > 0);
    guest.say('kill a');
    expect(await guest.end('a')).toBe(128 + 9);
    // One that has hardly begun, one that is over, and none.
    guest.say(`run b ${base64('cat /dev/zero >/dev/null')}`, 'kill b', 'kill a', 'kill none');
    expect(await guest.end('b')).toBe(128 + 9);
    expect(await guest.run('none', 'echo on')).toBe(0);
    expect(await guest.run('a2', 'echo on')).toBe(0);
  });

  test('what is left behind with the output of a command does not keep it from its end', async () => {
    const fifo = join(directory, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const rest = `(read line <'${fifo}'; echo late; echo late >&2; echo done >'${fifo}') &`;
    expect(await guest.run('a', `${rest} echo early`)).toBe(0);
    expect(guest.output('out', 'a').toString()).toBe('early\n');
    // It can still write, to nobody.
    const script = `echo go >'${fifo}'; read line <'${fifo}'; echo "$line"`;
    expect(await guest.run('b', script)).toBe(0);
    expect(guest.output('out', 'b').toString()).toBe('done\n');
    expect(guest.output('out', 'a').toString()).toBe('early\n');
  });

  test('what is no line of the protocol is passed over', async () => {
    guest.say('', 'nonsense', 'run', 'run ../x -', 'run * -', 'kill', 'put');
    expect(await guest.run('a', 'echo well')).toBe(0);
    expect(guest.lines).toHaveLength(3);
  });

  test(`a command's name has at most ${AGENT_ID_LENGTH_MAX} characters`, async () => {
    const [within, beyond] = [0, 1].map((more) => 'x'.repeat(AGENT_ID_LENGTH_MAX + more));
    guest.say(`run ${beyond} ${base64('echo no')}`);
    expect(await guest.run(within!, 'echo yes')).toBe(0);
    expect(await guest.run('a', 'true')).toBe(0);
    expect(guest.lines).toHaveLength(4);
  });
});

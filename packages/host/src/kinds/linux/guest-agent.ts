import { HostError } from '@polyvisor/errors/host-error';
import { AGENT_DIRECTORY } from '@polyvisor/images/guest/agent-script';
import type { CommandResult, OutputStream, RunOptions } from '../../instance.ts';

/** What a command printed that is kept for its result; more of it ends the command. */
export const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** Commands at a time. */
export const COMMANDS_MAX = 256;
/** Longest line from the guest: a piece of output in base64 with its head. */
const LINE_BYTES_MAX = 16_384;
/** Bytes of a file that one line to the guest carries. */
const PUT_BYTES = 24_576;

/** What goes with the state of the machine: half a line, and whether the agent has said that it is there. */
export interface AgentState {
  readonly isReady: boolean;
  readonly partialLine: string;
}

interface Running {
  readonly onOutput: RunOptions['onOutput'] | undefined;
  readonly stdout: Uint8Array[];
  readonly stderr: Uint8Array[];
  bytes: number;
  resolve(result: CommandResult): void;
  reject(error: HostError): void;
}

/**
 * The host's end of the agent in a guest: lines of words over a virtio console, binary data in base64.
 * To the guest: `run <id> <script>`, `put <id> <path> <bytes>`, `kill <id>`. From it: `hello 1`, `out <id> <bytes>`,
 * `err <id> <bytes>`, `end <id> <status>`. What the guest says that makes no sense is dropped.
 * @see packages/images/src/guest/agent-script.ts, the other end
 */
export class GuestAgent {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #prefix: string;
  readonly #running = new Map<string, Running>();
  #waiting: { resolve(): void; reject(error: HostError): void }[] = [];
  #isReady = false;
  #line = '';
  #nextId = 1;

  /**
   * @param send bytes to the guest, in order
   * @param prefix of the names of this host's commands: another machine with the same past must not get their answers
   */
  constructor(send: (bytes: Uint8Array) => void, prefix: string) {
    this.#send = send;
    this.#prefix = prefix;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  state(): AgentState {
    return { isReady: this.#isReady, partialLine: this.#line };
  }

  /** The machine is another one now; commands that ran in the old one have no end. */
  restore({ isReady, partialLine }: AgentState): void {
    this.end(new HostError('guest-restored', 'the guest went to another state'));
    this.#isReady = isReady;
    this.#line = partialLine;
  }

  /** Rejects all that wait; the agent is not there any more. */
  end(reason: HostError): void {
    this.abandon(reason);
    this.#isReady = false;
    this.#line = '';
  }

  /** Rejects all that wait. */
  abandon(reason: HostError): void {
    const running = [...this.#running.values()];
    const waiting = this.#waiting;
    this.#running.clear();
    this.#waiting = [];
    for (const { reject } of [...running, ...waiting]) reject(reason);
  }

  /** Resolves once the agent has said that it is there. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    await new Promise<void>((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  /** Runs a script of the guest's shell to its end. @throws HostError `agent-busy`, `output-limit` */
  async run(
    script: string,
    { stdin, onOutput }: Pick<RunOptions, 'stdin' | 'onOutput'> = {},
  ): Promise<CommandResult> {
    const input = stdin === undefined ? undefined : Buffer.from(stdin);
    return await this.#call((id) => {
      // Lines are served in their order, so the input is there when the command begins.
      for (const put of input ? putLines(`${AGENT_DIRECTORY}/${id}.in`, input) : []) {
        this.#send(Buffer.from(put(`${id}-in`)));
      }
      return `run ${id} ${base64(Buffer.from(script))}\n`;
    }, onOutput);
  }

  /** Appends to a file. @throws HostError `command-failed` with what the guest says */
  async append(path: string, content: Uint8Array): Promise<void> {
    for (const put of putLines(path, content)) {
      const { exitCode, stderr } = await this.#call(put);
      if (exitCode !== 0) {
        const why = Buffer.from(stderr).toString('utf8').trim();
        throw new HostError('command-failed', `the guest can't write ${path}: ${why}`);
      }
    }
  }

  /** Bytes that the guest wrote to its console. */
  receive(bytes: Uint8Array): void {
    const lines = (this.#line + Buffer.from(bytes).toString('latin1')).split('\n');
    this.#line = lines.pop()!;
    for (const line of lines) this.#take(line);
    // No line of the agent's is so long.
    if (this.#line.length > LINE_BYTES_MAX) this.#line = '';
  }

  async #call(
    line: (id: string) => string,
    onOutput?: RunOptions['onOutput'],
  ): Promise<CommandResult> {
    if (this.#running.size >= COMMANDS_MAX) {
      throw new HostError('agent-busy', `${COMMANDS_MAX} commands run in the guest already`);
    }
    const id = `${this.#prefix}${this.#nextId++}`;
    return await new Promise<CommandResult>((resolve, reject) => {
      this.#running.set(id, { onOutput, stdout: [], stderr: [], bytes: 0, resolve, reject });
      this.#send(Buffer.from(line(id)));
    });
  }

  #take(line: string): void {
    const [word, id = '', data = ''] = line.trim().split(' ');
    if (word === 'hello') return this.#welcome();
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (word === 'out') this.#takeOutput(id, running, 'stdout', data);
    else if (word === 'err') this.#takeOutput(id, running, 'stderr', data);
    else if (word === 'end' && /^\d{1,3}$/.test(data)) {
      this.#running.delete(id);
      const [stdout, stderr] = [Buffer.concat(running.stdout), Buffer.concat(running.stderr)];
      running.resolve({ exitCode: Number(data), stdout, stderr });
    }
  }

  /** The agent is there; one that was there before is not any more, with all that ran in it. */
  #welcome(): void {
    const waiting = this.#waiting.splice(0);
    this.end(new HostError('guest-restarted', 'the guest, or its agent, began anew'));
    this.#isReady = true;
    for (const { resolve } of waiting) resolve();
  }

  #takeOutput(id: string, running: Running, stream: OutputStream, data: string): void {
    const bytes = new Uint8Array(Buffer.from(data, 'base64'));
    running.bytes += bytes.length;
    if (running.bytes > OUTPUT_BYTES_MAX) {
      this.#running.delete(id);
      this.#send(Buffer.from(`kill ${id}\n`));
      const message = `the command printed more than ${OUTPUT_BYTES_MAX} bytes`;
      running.reject(new HostError('output-limit', message, 'have it write to a file'));
      return;
    }
    running[stream].push(bytes);
    running.onOutput?.(stream, bytes);
  }
}

/** Lines that append to a file, each with the name that it is to have. */
function* putLines(path: string, content: Uint8Array): Generator<(id: string) => string> {
  const target = base64(Buffer.from(path));
  for (let at = 0; at < content.length; at += PUT_BYTES) {
    const piece = base64(content.subarray(at, at + PUT_BYTES));
    yield (id) => `put ${id} ${target} ${piece}\n`;
  }
}

/** `-` stands for nothing: fields are never empty. */
function base64(bytes: Uint8Array): string {
  return bytes.length === 0 ? '-' : Buffer.from(bytes).toString('base64');
}

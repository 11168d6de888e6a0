import { join } from 'node:path';
import { TICKS_PER_SECOND } from '@polyvisor/board/device';
import { MemoryTree } from '@polyvisor/board/fuse/memory-tree';
import { type ComputerMachine, createComputer } from '@polyvisor/board/machine';
import { VirtioConsole } from '@polyvisor/board/virtio/console';
import type { VirtioDevice } from '@polyvisor/board/virtio/device';
import { VirtioFs } from '@polyvisor/board/virtio/fs';
import { microInitrd } from '@polyvisor/images/build/micro-image';
import { ROOT_TAG, imageFromRoot, readGuestParts } from '@polyvisor/images/build/root-image';
import { makeDirectory } from '@polyvisor/images/file-tree';
import { AGENT_HELLO } from '@polyvisor/images/guest/agent-script';
import { type StoredImage, findImage, readImageFile } from '@polyvisor/images/image-store';
import { fillTree } from '@polyvisor/images/serve-tree';
import { MICRO_IMAGE, fillStore, hasMicroImage, plainBoot } from './debian-boot.ts';
import { type FileResult, type RunOptions, book, emptyResult } from './suite.ts';
import type { TarFile } from './tar.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const RAM_BYTES = 2 ** 29;
const ARGUMENTS = 'console=ttyS0 quiet';
const READY = 'SHELL-READY';
const PROMPT = '# ';
const SLICE_STEPS = 2_000_000;
const STEPS_MAX = 20_000_000_000;

/** A folder with a kernel and an initial RAM disk: one that the user names, or Debian's. */
export async function* inputs(folder: string | undefined): AsyncGenerator<TarFile> {
  if (folder === undefined) await fillStore(CACHE);
  yield { path: folder ?? CACHE, bytes: Buffer.alloc(0) };
}

export function runFile(path: string, _content: string, options: RunOptions): FileResult {
  const result = emptyResult();
  book(result, 'boots to a shell, answers, and powers off', options, () => bootToShell(path));
  book(result, 'two boots in deterministic time are the same', options, () => bootTwice(path));
  if (hasMicroImage(path)) {
    const image = findImage(path, MICRO_IMAGE);
    book(result, 'the micro image runs commands for the host', options, () => bootImage(image));
    book(result, 'so does a root directory of next to nothing', options, () => bootRoot(image));
  }
  return result;
}

function bootToShell(folder: string): string | undefined {
  using computer = start(folder, 'host');
  const session = new Session(computer, 'host');
  if (!session.waitFor(READY) || !session.waitFor(PROMPT)) return session.report('no shell');
  const seconds = (session.elapsedMs / 1000).toFixed(2);
  const millions = (computer.usage().work / 1_000_000n).toString();
  console.log(`shell after ${seconds} s and ${millions} million instructions`);
  session.type('cat /proc/version\n');
  if (!session.waitFor('Linux version') || !session.waitFor(PROMPT))
    return session.report('no answer');
  session.type('poweroff -f\n');
  session.waitFor(undefined);
  return computer.end?.kind === 'poweroff' ? undefined : session.report('no end');
}

function bootTwice(folder: string): string | undefined {
  const [first, second] = [0, 1].map(() => {
    using computer = start(folder, 'steps');
    const session = new Session(computer, 'steps');
    session.waitFor(READY);
    return `${computer.usage().work} steps, ${computer.ticks} ticks\n${session.output}`;
  });
  return first === second ? undefined : `one is ${first}\nand the other ${second}`;
}

function start(folder: string, time: 'host' | 'steps'): ComputerMachine {
  const what = { kind: 'linux', ...plainBoot(folder), arguments: ARGUMENTS } as const;
  return createComputer({ ramBytes: RAM_BYTES, time }, what);
}

/** What the agent is asked to do, and says: see `packages/images/src/guest/agent-script.ts`. */
const COMMAND = 'uname -a; echo sorry >&2; exit 7';
function bootImage(image: StoredImage): string | undefined {
  // The scripts in it are those of now, however old the image is.
  const initrd = microInitrd(readGuestParts(image));
  return runCommand(image.commandLine, { kernel: readImageFile(image, 'kernel'), initrd });
}

/** Without a shell, or anything else of its own. */
function bootRoot(from: StoredImage): string | undefined {
  const root = makeDirectory();
  const { commandLine, kernel } = imageFromRoot(root, undefined, from, 'nothing');
  const tree = new MemoryTree({ now: () => 0n });
  fillTree(tree, root);
  return runCommand(commandLine, { kernel }, new VirtioFs({ tag: ROOT_TAG, tree }));
}

function runCommand(
  commandLine: string,
  files: { readonly kernel: Uint8Array; readonly initrd?: Uint8Array },
  ...devices: readonly VirtioDevice[]
): string | undefined {
  let said = '';
  const agent = new VirtioConsole({
    transmit: (bytes) => {
      said += Buffer.from(bytes).toString('latin1');
    },
  });
  using computer = createComputer(
    { ramBytes: RAM_BYTES, pciDevices: [agent, ...devices] },
    { kind: 'linux', ...files, arguments: commandLine },
  );
  const session = new Session(computer, 'host');
  if (!session.waitUntil(() => said === `${AGENT_HELLO}\n`)) return session.report('no agent');
  said = '';
  agent.receive(Buffer.from(`run 1 ${Buffer.from(COMMAND).toString('base64')}\n`));
  if (!session.waitUntil(() => /^end .*\n/m.test(said))) return session.report('no end');
  const lines = said
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  const textOf = (kind: string): string =>
    lines.flatMap(([first, , text]) => (first === kind ? [atob(text!)] : [])).join('');
  const isRight =
    /^Linux polyvisor \S+ .* riscv64 GNU\/Linux\n$/.test(textOf('out')) &&
    textOf('err') === 'sorry\n' &&
    said.endsWith('end 1 7\n');
  if (!isRight) return `the agent said ${said}`;
  if (!session.waitFor(PROMPT)) return session.report('no shell');
  session.type('poweroff\n');
  session.waitFor(undefined);
  return computer.end?.kind === 'poweroff' ? undefined : session.report('no end');
}

/** Somebody at the serial line, with a clock. */
class Session {
  output = '';
  readonly #computer: ComputerMachine;
  readonly #time: 'host' | 'steps';
  readonly #startMs = performance.now();
  #steps = 0;
  /** How far the output was looked through. */
  #seen = 0;

  constructor(computer: ComputerMachine, time: 'host' | 'steps') {
    this.#computer = computer;
    this.#time = time;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  type(text: string): void {
    this.#computer.serialInput(Buffer.from(text));
  }

  /** Runs until a text comes, or, without one, to the end. False where it never does. */
  waitFor(text: string | undefined): boolean {
    return this.waitUntil(() => {
      const at = text === undefined ? -1 : this.output.indexOf(text, this.#seen);
      if (at >= 0) this.#seen = at + text!.length;
      return at >= 0;
    });
  }

  /** False where it never is, or only an idle machine in deterministic time is left. */
  waitUntil(isDone: () => boolean): boolean {
    while (this.#steps < STEPS_MAX) {
      if (isDone()) return true;
      const { reason, used } = this.#computer.run(SLICE_STEPS);
      this.#steps += used;
      this.output += Buffer.from(this.#computer.takeSerialOutput()).toString('latin1');
      if (reason === 'halt') return isDone();
      if (this.#time === 'host') this.#moveOn(reason === 'idle');
      else if (reason === 'idle') return isDone();
    }
    return false;
  }

  /** What a host does between two slices; an idle machine's time is not waited for but skipped. */
  #moveOn(isIdle: boolean): void {
    const computer = this.#computer;
    if (isIdle && computer.wakesAt !== Infinity) computer.moveTo(computer.wakesAt);
    computer.moveTo(Math.floor((this.elapsedMs / 1000) * TICKS_PER_SECOND));
  }

  report(what: string): string {
    return `${what}; the serial line said:\n${this.output.slice(-2000)}`;
  }
}

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
import {
  MICRO_IMAGE,
  PLAIN_ARGUMENTS,
  PROMPT,
  READY,
  hasMicroImage,
  plainBoot,
} from './debian-boot.ts';
import { SerialSession } from './serial-session.ts';
import { type FileResult, type RunOptions, book } from './suite.ts';

const RAM_BYTES = 2 ** 29;

/** Debian's kernel with busybox. @param folder a store, or one with a kernel and an initial RAM disk */
export function bootBusybox(result: FileResult, folder: string, options: RunOptions): void {
  const check = (name: string, run: () => string | undefined): void =>
    book(result, `busybox: ${name}`, options, run);
  check('boots to a shell, answers, and powers off', () => bootToShell(folder));
  check('two boots in deterministic time are the same', () => bootTwice(folder));
  if (hasMicroImage(folder)) {
    const image = findImage(folder, MICRO_IMAGE);
    check('the micro image runs commands for the host', () => bootImage(image));
    check('so does a root directory of next to nothing', () => bootRoot(image));
  }
}

function bootToShell(folder: string): string | undefined {
  using computer = start(folder, 'host');
  const session = new SerialSession(computer, { time: 'host' });
  if (!session.waitFor(READY) || !session.waitFor(PROMPT)) return session.report('no shell');
  console.log(`busybox: a shell after ${session.spent}`);
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
    const session = new SerialSession(computer, { time: 'steps' });
    session.waitFor(READY);
    return `${computer.usage().work} steps, ${computer.ticks} ticks\n${session.output}`;
  });
  return first === second ? undefined : `one is ${first}\nand the other ${second}`;
}

function start(folder: string, time: 'host' | 'steps'): ComputerMachine {
  const what = { kind: 'linux', ...plainBoot(folder), arguments: PLAIN_ARGUMENTS } as const;
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
  const session = new SerialSession(computer, { time: 'host' });
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

import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { MemoryTree } from '@polyvisor/board/fuse/memory-tree';
import { type ComputerMachine, createComputer } from '@polyvisor/board/machine';
import { VirtioFs } from '@polyvisor/board/virtio/fs';
import { bytesToUtf8 } from '@polyvisor/bytes/bytes';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';
import { type DirectoryNode, lookUp } from '../file-tree.ts';
import { GUEST_FIRST_START } from '../guest/guest-files.ts';
import { fillTree, readTree } from '../serve-tree.ts';
import { ROOT_ARGUMENTS, ROOT_TAG } from './root-image.ts';

export interface PrepareOptions {
  /** Hears each line that the guest prints. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Instructions that it may take; default 2^40. */
  readonly stepsMax?: number;
}

const RAM_BYTES = 2 ** 29;
const FILES_BYTES_MAX = 2 ** 33;
/** Some milliseconds. */
const SLICE_STEPS = 2_000_000;
const STEPS_MAX = 2 ** 40;
/** What is longer without an end is cut. */
const LINE_LENGTH_MAX = 4096;
/** Lines that an error tells. */
const LAST_LINES = 5;

/**
 * The first start of a guest, in which scripts of its packages run, ahead of time: a computer boots
 * the root directory, and is off again when they are done.
 * @returns the root directory that it leaves
 * @throws HostError `image-unprepared` with what the guest said last
 */
export async function prepareRoot(
  root: DirectoryNode,
  kernel: Uint8Array,
  options: PrepareOptions = {},
): Promise<DirectoryNode> {
  const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
  const tree = new MemoryTree({ now, bytesMax: FILES_BYTES_MAX });
  fillTree(tree, root);
  using computer = createComputer(
    {
      ramBytes: RAM_BYTES,
      pciDevices: [new VirtioFs({ tag: ROOT_TAG, tree })],
      // Nobody waits with it for a timer.
      time: 'steps',
      epochNs: now(),
    },
    {
      kind: 'linux',
      kernel,
      arguments: `${ROOT_ARGUMENTS} polyvisor.prepare`,
      rngSeed: randomBytes(32),
    },
  );
  const lines = await runToEnd(computer, options);
  const prepared = readTree(tree);
  if (computer.end?.kind === 'poweroff' && !lookUp(prepared, GUEST_FIRST_START)) return prepared;
  throw new HostError(
    'image-unprepared',
    `the scripts of the packages did not all run; the guest said: ${lines.join(' / ')}`,
    'leave out the package that it is about, or take another release',
  );
}

/** @returns the last lines that the guest printed */
async function runToEnd(
  computer: ComputerMachine,
  { onProgress, signal, stepsMax = STEPS_MAX }: PrepareOptions,
): Promise<string[]> {
  const last: string[] = [];
  let rest = '';
  for (let steps = 0; steps < stepsMax;) {
    const { reason, used } = computer.run(SLICE_STEPS);
    steps += used;
    const lines = (rest + bytesToLatin1(computer.takeSerialOutput())).split('\n');
    rest = lines.pop()!.slice(0, LINE_LENGTH_MAX);
    for (const line of lines.map(printable).filter((each) => each !== '')) {
      onProgress?.(line);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
    }
    // Without time that passes by itself, idle is for ever.
    if (reason === 'halt' || reason === 'idle') break;
    await setImmediate();
    signal?.throwIfAborted();
  }
  return [...last, printable(rest)].filter((line) => line !== '');
}

/** Bytes of a guest as text that does nothing to a terminal. */
function printable(line: string): string {
  return bytesToUtf8(latin1ToBytes(line)).replaceAll(/\p{C}/gu, '').trim();
}

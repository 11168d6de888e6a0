import { type ComputerMachine, createComputer } from '@polyvisor/board/machine';
import { Recorder, type Recording, replay } from '@polyvisor/board/recording';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { findChromium } from '@polyvisor/console/testing/chromium';
import { replayInChromium } from '@polyvisor/console/testing/replay-in-chromium';
import { PLAIN_ARGUMENTS, PROMPT, type PlainBoot, READY, plainBoot } from './debian-boot.ts';
import { SerialSession } from './serial-session.ts';
import { type FileResult, type RunOptions, bookLater } from './suite.ts';
import { VectorsMissing } from './vectors.ts';

const RAM_BYTES = 2 ** 28;
/** Longest runs of the two replays in this process: what comes out must not depend on them. */
const SLICES = [5_000_000, 1_234_567];
/** Something that takes memory, processes and files. */
const COMMAND = 'for i in 1 2 3; do cat /proc/interrupts | md5sum; done >/sums; wc -l /sums\n';

/**
 * A boot of Debian's kernel to its shell in deterministic time, with what was typed, recorded and done again.
 * @param folder a store, or one with a kernel and an initial RAM disk
 */
export async function bootRecorded(
  result: FileResult,
  folder: string,
  options: RunOptions,
): Promise<void> {
  let made: Recording | undefined;
  const files = plainBoot(folder);
  const recorded = (): Recording => (made ??= record(files));
  for (const [index, slice] of SLICES.entries()) {
    const name = `recorded: a boot ends in the same memory when it is done again (${index + 1})`;
    await bookLater(result, name, options, async () => {
      using computer = begin(files);
      return compare(recorded(), replay(computer, recorded(), slice));
    });
  }
  await bookLater(result, 'recorded: and so it does in Chromium', options, async () => {
    const executablePath = findChromium();
    if (executablePath === undefined) {
      throw new VectorsMissing('there is no Chromium; POLYVISOR_CHROMIUM can name one');
    }
    const digest = await replayInChromium({
      executablePath,
      ramBytes: RAM_BYTES,
      boot: { kind: 'linux', kernel: 'kernel', initrd: 'initrd', arguments: PLAIN_ARGUMENTS },
      files: { ...files },
      recording: recorded(),
    });
    return compare(recorded(), digest);
  });
}

function begin(files: PlainBoot): ComputerMachine {
  return createComputer(
    { ramBytes: RAM_BYTES, time: 'steps' },
    { kind: 'linux', ...files, arguments: PLAIN_ARGUMENTS },
  );
}

/** @throws Error where the boot or the command fails */
function record(files: PlainBoot): Recording {
  using computer = begin(files);
  const recorder = new Recorder(computer);
  const session = new SerialSession(computer, {
    time: 'steps',
    input: (bytes) => recorder.type(bytes),
  });
  const isAtPrompt = session.waitFor(READY) && session.waitFor(PROMPT);
  if (isAtPrompt) session.type(COMMAND);
  if (!isAtPrompt || !session.waitFor('\n3 /sums')) throw new Error(session.report('no answer'));
  const recording = recorder.finish();
  console.log(`recorded: ${session.spent}, ${bytesToHex(recording.digest)}`);
  return recording;
}

function compare({ digest }: Recording, again: Uint8Array): string | undefined {
  const [first, second] = [digest, again].map((each) => bytesToHex(each));
  return first === second ? undefined : `the digest was ${first} and is ${second}`;
}

import { createMemory, forkMemory } from '@polyvisor/memory/guest-memory';
import { timeEach } from './harness.ts';

/** Microseconds of each copy-on-write fork of a memory that is full of bytes. */
export async function forkTimes(bytes: number, forks: number): Promise<number[]> {
  using origin = createMemory(bytes, { bytesMax: bytes });
  origin.bytes().fill(0x5a);
  using snapshot = origin.snapshot();
  return await timeEach(forks, () => {
    using fork = forkMemory(snapshot, { bytesMax: bytes });
    if (fork.bytes()[bytes - 1] !== 0x5a) throw new Error('the fork does not have its bytes');
  });
}

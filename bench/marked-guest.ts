import { type ChildProcess, spawn } from 'node:child_process';
import type { Command } from './machines.ts';

/** A line of its own that a guest marks its console with. */
const MARK = /^(?:SHELL-READY|(?:BEGIN|END)-\w+)(?=\r?$)/gm;

/**
 * Starts a machine, and waits until it ends.
 * @param options `last`: the mark after which it is killed; without it, it ends itself. `marks`: others than the usual
 * @returns when each mark came, in milliseconds from the start. @throws with what the console said, for one not in it
 */
export async function timeMarks(
  [program, parameters]: Command,
  { last, marks = MARK }: { readonly last?: string; readonly marks?: RegExp } = {},
): Promise<(mark: string) => number> {
  const startMs = performance.now();
  const machine: ChildProcess = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'ignore'] });
  const seen = new Map<string, number>();
  let text = '';
  machine.stdout!.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    const nowMs = performance.now();
    for (const [mark] of text.matchAll(marks)) if (!seen.has(mark)) seen.set(mark, nowMs);
    if (last !== undefined && seen.has(last)) machine.kill('SIGKILL');
  });
  await new Promise((resolve) => machine.once('close', resolve));
  return (mark) => {
    const ms = seen.get(mark);
    if (ms === undefined) throw new Error(`no ${mark}: ${text.slice(-1000)}`);
    return ms - startMs;
  };
}

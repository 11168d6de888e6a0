import { type ChildProcess, spawn } from 'node:child_process';

/** Milliseconds from the start of a process to each mark, by its name. */
export type Marks = ReadonlyMap<string, number>;

/**
 * Runs a machine until it ends, and notes when its console first shows each mark on a line's end.
 * @param last ends the process, where the machine does not end itself
 */
export async function watch(
  command: string,
  parameters: readonly string[],
  marks: RegExp,
  last?: string,
): Promise<Marks> {
  const startMs = performance.now();
  const machine: ChildProcess = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'ignore'] });
  const seen = new Map<string, number>();
  let text = '';
  machine.stdout!.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    const ms = performance.now() - startMs;
    for (const [mark] of text.matchAll(marks)) if (!seen.has(mark)) seen.set(mark, ms);
    if (last !== undefined && seen.has(last)) machine.kill('SIGKILL');
  });
  await new Promise((resolve) => machine.once('close', resolve));
  if (seen.size === 0) throw new Error(`${command}: no mark: ${text.slice(-1000)}`);
  return seen;
}

/** @throws where the console never showed it */
export function at(marks: Marks, name: string): number {
  const ms = marks.get(name);
  if (ms === undefined) throw new Error(`no ${name} among ${[...marks.keys()].join(', ')}`);
  return ms;
}

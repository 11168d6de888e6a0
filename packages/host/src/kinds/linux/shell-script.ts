import { HostError } from '@polyvisor/errors/host-error';
import type { RunOptions } from '../../instance.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * A line of a POSIX shell that runs a command just as its words are.
 * @throws HostError `bad-command` for none, one with a zero character, or a variable that can't be
 */
export function scriptOf(
  words: readonly string[],
  { directory, environment = {} }: Pick<RunOptions, 'directory' | 'environment'> = {},
): string {
  if (words.length === 0 || words[0] === '') throw bad('there is no command');
  const variables = Object.entries(environment).map(([name, value]) => {
    if (!VARIABLE.test(name)) throw bad(`'${name}' is no name of a variable`);
    return `${name}=${quote(value)} `;
  });
  const change = directory === undefined ? '' : `cd ${quote(directory)} && `;
  return `${change}${variables.join('')}${words.map(quote).join(' ')}`;
}

/** A word as a shell's line has it. @see POSIX.1-2024, XCU 2.2.2: all but the quote itself stands for itself */
export function quote(word: string): string {
  if (word.includes('\0')) throw bad('a word has a zero character');
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function bad(message: string): HostError {
  return new HostError('bad-command', message);
}

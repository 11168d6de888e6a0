import type { Range } from '@polyvisor/host/guest-spec';

/** A flag of a command line, as a row of a table. */
export interface Flag {
  /** As commander writes them: `-b, --block-time <seconds>`; without a value it is a switch. */
  readonly flags: string;
  /** Other names, accepted and not shown. */
  readonly aliases?: readonly string[];
  readonly help: string;
  /** @throws FlagError saying what it has to be */
  readonly parse?: (value: string) => unknown;
}

/** What a value should have been; the command line's parser says which flag it is. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export const text = (value: string): string => {
  if (value === '') throw new FlagError('give some text');
  return value;
};

export const texts = (value: string): readonly string[] => value.split(',').map(text);

export function number({ min, max }: Range): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() !== '' && parsed >= min && parsed <= max) return parsed;
    throw new FlagError(`give a number from ${min} to ${max}`);
  };
}

export function wholeNumber(range: Range): (value: string) => number {
  const parse = number(range);
  return (value) => {
    const parsed = parse(value);
    if (Number.isSafeInteger(parsed)) return parsed;
    throw new FlagError('give a whole number');
  };
}

/** One of the names, however it is written in upper and lower case. */
export function oneOf(names: readonly string[]): (value: string) => string {
  return (value) => {
    const found = names.find((name) => name.toLowerCase() === value.toLowerCase());
    if (found !== undefined) return found;
    throw new FlagError(`it is one of ${names.join(', ')}`);
  };
}

/** Name of a flag's value: `-b, --block-time <seconds>` -> `blockTime`; `--no-mining` -> `mining`. */
export function attributeOf(flags: string): string {
  const long = /--(?:no-)?([a-z-]+)/.exec(flags)?.[1] ?? '';
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

import type { CommandRow } from './command.ts';
import { commands } from './commands.ts';
import type { Flag } from './flags.ts';

/** A command without arguments, and its options as commander would have them. */
export interface QuickLine {
  readonly row: CommandRow;
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Reads the plainest command lines without commander, which takes a start some milliseconds: a command that has no
 * arguments, and flags that are all known and right. Undefined for any other line: commander then says what it means,
 * or what is wrong with it.
 */
export function quickLine(line: readonly string[]): QuickLine | undefined {
  const row = commands.find(({ name }) => name === line[0]);
  if (row === undefined || 'commands' in row || row.arguments !== undefined) return undefined;
  const names = namesOf(row);
  const options: Record<string, unknown> = {};
  for (const { attribute, isNegated } of names.values()) if (isNegated) options[attribute] = true;
  for (let at = 1; at < line.length; at++) {
    const [word, inline] = splitFlag(line[at]!);
    const name = names.get(word);
    if (name === undefined) return undefined;
    if (!name.takesValue) {
      if (inline !== undefined) return undefined;
      options[name.attribute] = !name.isNegated;
      continue;
    }
    const value = inline ?? line[++at];
    // What looks like a flag could be a value that was forgotten.
    if (value === undefined || (inline === undefined && value.startsWith('-'))) return undefined;
    try {
      options[name.attribute] = name.flag.parse?.(value) ?? value;
    } catch {
      return undefined;
    }
  }
  return { row, options };
}

interface FlagName {
  readonly flag: Flag;
  /** `--block-time` is `blockTime`, and `--no-mining` is `mining`. */
  readonly attribute: string;
  readonly takesValue: boolean;
  readonly isNegated: boolean;
}

/** Flags by each way to write them, `-b` and `--block-time`. */
function namesOf({ flags }: CommandRow): ReadonlyMap<string, FlagName> {
  const names = new Map<string, FlagName>();
  for (const flag of flags) {
    for (const written of [flag.flags, ...(flag.aliases ?? [])]) {
      const words = written.split(/[ ,]+/);
      const long = words.find((word) => word.startsWith('--'))!;
      const isNegated = long.startsWith('--no-');
      const attribute = long
        .slice(isNegated ? 5 : 2)
        .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const takesValue = written.includes('<');
      for (const word of words) {
        if (word.startsWith('-')) names.set(word, { flag, attribute, takesValue, isNegated });
      }
    }
  }
  return names;
}

/** `--port=1` is a flag with its value. */
function splitFlag(word: string): readonly [flag: string, value: string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

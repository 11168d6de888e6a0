import type { Flag } from './flags.ts';
import type { Terminal } from './terminal.ts';

/** A command, as a row of the table that the program and its help are made of. */
export interface CommandRow {
  readonly name: string;
  /** Other names. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** As commander writes them: `<guest> [snapshot] [parameters...]`. */
  readonly arguments?: string;
  readonly flags: readonly Flag[];
  /** Words after the first argument are the command's own, even those that look like flags. */
  readonly takesAll?: boolean;
  /** What it does is loaded when it is asked for. */
  load(): Promise<CommandModule>;
}

/** Commands that have a word in front of their names: `images ls`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandRow[];
}

export interface CommandModule {
  /** @returns what the process says to the shell, if that is a program's in a guest; else 0 */
  run(call: CommandCall): Promise<void | number>;
}

/** A command line whose parts were checked by the row's flags. */
export interface CommandCall {
  readonly terminal: Terminal;
  /** In the row's order; a list for one that takes the rest. */
  readonly arguments: readonly (string | readonly string[] | undefined)[];
  /** By the flags' attribute names: `--block-time` is `blockTime`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Ends a command that runs until it is stopped. */
  readonly signal: AbortSignal | undefined;
}

/** The argument at `index`, which the row's `<…>` promises. */
export function required(call: CommandCall, index: number): string {
  return call.arguments[index] as string;
}

/** The words of the row's `[…...]`, which is its last argument. */
export function remaining(call: CommandCall): readonly string[] {
  return (call.arguments.at(-1) ?? []) as readonly string[];
}

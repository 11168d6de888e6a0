import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { VERSION } from '@polyvisor/host/version';
import type { CommandGroup, CommandRow } from './command.ts';
import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { FlagError } from './flags.ts';
import type { Flag } from './flags.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs a command line by the table of commands; commander says what is wrong with one that is.
 * @param signal ends commands that run until they are stopped
 */
export async function runLine(
  line: readonly string[],
  terminal: Terminal,
  signal: AbortSignal | undefined,
): Promise<number> {
  let status: number = exitCodes.ok;
  const onStatus = (ofGuest: number): void => void (status = ofGuest);
  const program = makeProgram({ terminal, signal, onStatus });
  try {
    await program.parseAsync(line, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}

/** What every command stands on. */
interface Ground {
  readonly terminal: Terminal;
  readonly signal: AbortSignal | undefined;
  /** A command ended with a status of its own. */
  readonly onStatus: (status: number) => void;
}

/** It throws CommanderError where commander would end the process. */
function makeProgram(ground: Ground): Command {
  const { terminal } = ground;
  const program = new Command('polyvisor')
    .description('One hypervisor for every kind of virtual machine.')
    .version(VERSION, '-V, --version')
    .helpCommand(false)
    .enablePositionalOptions()
    .showHelpAfterError('(polyvisor --help lists the commands and their flags)')
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.warn(text.trimEnd()),
    })
    .exitOverride();
  for (const row of commands) {
    if ('commands' in row) addGroup(program, row, ground);
    else addCommand(program, row, ground);
  }
  return program;
}

/** The command itself; the flags of the row become its options. */
export function addFlags(command: Command, flags: readonly Flag[]): Command {
  for (const flag of flags) {
    command.addOption(option(flag.flags, flag));
    for (const alias of flag.aliases ?? []) command.addOption(option(alias, flag).hideHelp());
  }
  return command;
}

function addGroup(program: Command, group: CommandGroup, ground: Ground): void {
  const command = program
    .command(group.name)
    .summary(group.summary)
    .description(group.summary)
    .helpCommand(false);
  for (const row of group.commands) addCommand(command, row, ground);
}

function addCommand(parent: Command, row: CommandRow, ground: Ground): void {
  const command = parent
    .command(row.arguments === undefined ? row.name : `${row.name} ${row.arguments}`)
    .aliases([...(row.aliases ?? [])])
    .summary(row.summary)
    .description(row.summary);
  addFlags(command, row.flags);
  if (row.takesAll === true) command.passThroughOptions();
  command.action(async () => {
    const { run } = await row.load();
    const parsed = command.processedArgs as (string | readonly string[] | undefined)[];
    const { terminal, signal, onStatus } = ground;
    const call = { terminal, arguments: parsed, options: command.opts(), signal };
    onStatus((await run(call)) ?? exitCodes.ok);
  });
}

function option(flags: string, { parse, help }: Flag): Option {
  const made = new Option(flags, help);
  if (parse === undefined) return made;
  return made.argParser((value: string) => {
    try {
      return parse(value);
    } catch (error) {
      if (error instanceof FlagError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  });
}

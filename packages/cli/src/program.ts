import { Command, InvalidArgumentError, Option } from 'commander';
import { VERSION } from '@polyvisor/host/version';
import type { CommandRow } from './command.ts';
import { commands } from './commands.ts';
import { FlagError } from './flags.ts';
import type { Flag } from './flags.ts';
import type { Terminal } from './terminal.ts';

/**
 * The command line, made of the table of commands. It throws CommanderError where commander would end the process.
 * @param asked the first word of the line: a command that there is comes without the others, which nobody then asks
 *   about, and a start need not wait for their flags
 * @param signal ends commands that run until they are stopped
 */
export function makeProgram(
  terminal: Terminal,
  asked: string | undefined,
  signal?: AbortSignal,
): Command {
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
  const row = commands.find(
    ({ name, aliases }) => name === asked || aliases?.includes(asked ?? ''),
  );
  for (const each of row ? [row] : commands) addCommand(program, each, terminal, signal);
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

function addCommand(
  program: Command,
  row: CommandRow,
  terminal: Terminal,
  signal: AbortSignal | undefined,
): void {
  const command = program
    .command(row.arguments === undefined ? row.name : `${row.name} ${row.arguments}`)
    .aliases([...(row.aliases ?? [])])
    .summary(row.summary)
    .description(row.summary);
  addFlags(command, row.flags);
  if (row.takesAll === true) command.passThroughOptions();
  command.action(async () => {
    const { run } = await row.load();
    const parsed = command.processedArgs as (string | readonly string[] | undefined)[];
    await run({ terminal, arguments: parsed, options: command.opts(), signal });
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

import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { makeProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs a command line.
 * @param args after the program's name; none: `up`
 * @param signal ends commands that run until they are stopped
 */
export async function main(
  args: readonly string[],
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<ExitCode> {
  const isUp = args.length === 0 || (args[0]?.startsWith('-') === true && !isAboutProgram(args[0]));
  try {
    const line = isUp ? ['up', ...args] : args;
    await makeProgram(terminal, line[0], signal).parseAsync(line, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said what is wrong.
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    return reportFailure(terminal, error, args.includes('--json'));
  }
}

function isAboutProgram(flag: string): boolean {
  return ['-h', '--help', '-V', '--version'].includes(flag);
}

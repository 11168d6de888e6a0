import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { quickLine } from './quick-line.ts';
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
): Promise<number> {
  const isUp = args.length === 0 || (args[0]?.startsWith('-') === true && !isAboutProgram(args[0]));
  const line = isUp ? ['up', ...args] : args;
  try {
    const quick = quickLine(line);
    if (quick === undefined) {
      const { runLine } = await import('./program.ts');
      return await runLine(line, terminal, signal);
    }
    const { run } = await quick.row.load();
    await run({ terminal, arguments: [], options: quick.options, signal });
    return exitCodes.ok;
  } catch (error) {
    return reportFailure(terminal, error, args.includes('--json'));
  }
}

function isAboutProgram(flag: string): boolean {
  return ['-h', '--help', '-V', '--version'].includes(flag);
}

import { HostError } from '@polyvisor/errors/host-error';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Says what went wrong, and what to do about it. @returns the exit code */
export function reportFailure(terminal: Terminal, error: unknown, asJson: boolean): ExitCode {
  const { code, message, hint, exit } = describe(error);
  if (asJson) {
    terminal.warn(JSON.stringify({ error: { code, message, hint } }));
    return exit;
  }
  terminal.warn(`polyvisor: ${message}`);
  if (hint !== undefined) terminal.warn(`  hint: ${hint}`);
  return exit;
}

interface Description {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly exit: ExitCode;
}

function describe(error: unknown): Description {
  if (error instanceof HostError) {
    const { code, message, hint } = error;
    return { code, message, hint, exit: exitCodeOf(code) };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const hint = 'this is a bug of polyvisor: please report it with the lines above';
  return { code: 'internal', message, hint, exit: exitCodes.bug };
}

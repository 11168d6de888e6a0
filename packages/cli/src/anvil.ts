import { Command, CommanderError } from 'commander';
import type { Guest } from '@polyvisor/host/guest';
import { createHost } from '@polyvisor/host/host';
import type { EvmFaces } from '@polyvisor/host/kinds/evm-types';
import { VERSION } from '@polyvisor/host/version';
import { Ending } from './ending.ts';
import { evmFlags, evmOptionsOf } from './evm-flags.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { usualPorts } from './ports.ts';
import { addFlags } from './program.ts';
import type { Terminal } from './terminal.ts';

/**
 * `polyvisor-anvil`: one EVM chain by anvil's flags, which prints what launchers wait for. Flags it doesn't have are
 * an error.
 * @see https://getfoundry.sh/anvil/reference/anvil
 */
export async function anvil(
  args: readonly string[],
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<ExitCode> {
  const command = addFlags(new Command('polyvisor-anvil'), evmFlags)
    .description('An EVM chain that takes anvil’s flags and prints what anvil prints.')
    .version(VERSION, '-V, --version')
    .option('-q, --quiet', 'print nothing')
    .option('--silent', 'print nothing')
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.warn(text.trimEnd()),
    })
    .exitOverride();
  try {
    command.parse([...args], { from: 'user' });
    const options = command.opts();
    const isQuiet = options['quiet'] === true || options['silent'] === true;
    await using host = await createHost();
    using ending = new Ending(signal);
    const chain = await host.create({
      kind: 'evm',
      options: { port: usualPorts.POLYVISOR_PORT, ...evmOptionsOf(options) },
    });
    if (!isQuiet) terminal.print(announcement(chain));
    await ending.promise;
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    return reportFailure(terminal, error, false);
  }
}

/** The order and the words of anvil's own, so that tutorials and launchers read it the same. */
function announcement(chain: Guest & EvmFaces): string {
  const { accounts } = chain;
  const facts = chain.facts().map(([name, value]) => `${name}: ${value}`);
  const listening = chain.endpoints.map(({ url }) => `Listening on ${new URL(url).host}`);
  return [
    '',
    `    polyvisor-anvil ${VERSION}`,
    '',
    'Available Accounts',
    '==================',
    '',
    ...accounts.map(({ address }, index) => `(${index}) ${address}`),
    '',
    'Private Keys',
    '==================',
    '',
    ...accounts.map(({ privateKey }, index) => `(${index}) ${privateKey}`),
    '',
    'Chain',
    '==================',
    '',
    ...facts,
    '',
    listening[0] ?? '',
  ].join('\n');
}

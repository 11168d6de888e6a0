import type { CommandCall } from '../command.ts';
import { evmOptionsOf } from '../evm-flags.ts';
import { serve } from '../serve.ts';
import { servePlan } from '../serve-plan.ts';

export async function run({ terminal, options, signal }: CommandCall): Promise<void> {
  const chain = { port: DEFAULT_PORT, ...evmOptionsOf(options) };
  const plan = servePlan([{ kind: 'evm', name: 'evm', options: chain }], options);
  await serve(terminal, plan, signal);
}

const DEFAULT_PORT = 8545;

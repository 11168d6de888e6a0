import type { CommandCall } from '../command.ts';
import { evmOptionsOf } from '../evm-flags.ts';
import { usualPort } from '../ports.ts';
import { serve } from '../serve.ts';
import { servePlan } from '../serve-plan.ts';

export async function run({ terminal, options, signal }: CommandCall): Promise<void> {
  const chain = { port: usualPort('POLYVISOR_PORT'), ...evmOptionsOf(options) };
  const plan = servePlan([{ kind: 'evm', name: 'evm', options: chain }], options);
  await serve(terminal, plan, signal);
}

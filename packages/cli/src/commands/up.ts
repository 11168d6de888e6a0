import { HostError } from '@polyvisor/errors/host-error';
import type { GuestSpec } from '@polyvisor/host/guest-spec';
import type { Host } from '@polyvisor/host/host';
import { isEvm } from '../banner.ts';
import type { CommandCall } from '../command.ts';
import type { Config } from '../config.ts';
import { findConfigFile, loadConfigFile } from '../config-file.ts';
import { usualPort } from '../ports.ts';
import { serve } from '../serve.ts';
import { servePlan } from '../serve-plan.ts';

export async function run({ terminal, options, signal }: CommandCall): Promise<void> {
  const wanted = options['config'] as string | undefined;
  const file = wanted ?? findConfigFile(process.cwd());
  const config = file === undefined ? defaultConfig : await loadConfigFile(file);
  const plan = servePlan(withPorts(config.guests), options, config);
  const prepare = async (host: Host) => {
    const chain = [...host.guests.values()].find(isEvm);
    if (chain === undefined) {
      throw new HostError(
        'bad-option',
        '--demo needs an EVM guest',
        'add one to the configuration',
      );
    }
    const { deployDemo } = await import('../demo.ts');
    return await deployDemo(chain, terminal);
  };
  await serve(terminal, options['demo'] === true ? { ...plan, prepare } : plan, signal);
}

const defaultConfig: Config = { guests: { evm: { kind: 'evm', options: {} } } };

function portOf({ options }: GuestSpec): number | undefined {
  return 'port' in options ? options.port : undefined;
}

/** Chains that don't say which port they want get the usual ones: 8545, 8546, … */
function withPorts(guests: Config['guests']): (GuestSpec & { readonly name: string })[] {
  const taken = new Set(Object.values(guests).map(portOf));
  let next = usualPort('POLYVISOR_PORT');
  return Object.entries(guests).map(([name, spec]) => {
    if (spec.kind !== 'evm' || portOf(spec) !== undefined) return { ...spec, name };
    // With 0, the system chooses for every one.
    while (next !== 0 && taken.has(next)) next++;
    const port = next === 0 ? 0 : next++;
    return { ...spec, name, options: { ...spec.options, port } };
  });
}

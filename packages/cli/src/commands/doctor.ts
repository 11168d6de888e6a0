import { usualPorts } from '../ports.ts';
import { HostError } from '@polyvisor/errors/host-error';
import { checkHost } from '@polyvisor/host/doctor';
import type { CommandCall } from '../command.ts';
import { runningHosts } from '../running-hosts.ts';
import { table } from '../table.ts';

export async function run({ terminal, options }: CommandCall): Promise<void> {
  // A host that runs has the ports, as it should.
  const ports = runningHosts().length === 0 ? USUAL_PORTS : [];
  const checks = await checkHost({ ports });
  if (options['json'] === true) terminal.print(JSON.stringify(checks));
  else {
    const rows = checks.map(({ name, status, finding, hint }) => [
      status,
      name,
      hint === undefined ? finding : `${finding}: ${hint}`,
    ]);
    terminal.print(table(['STATUS', 'CHECK', 'FINDING'], rows));
  }
  const failed = checks.filter(({ status }) => status === 'failure').map(({ name }) => name);
  if (failed.length > 0) {
    throw new HostError('unfit', `this computer lacks what guests need: ${failed.join(', ')}`);
  }
}

const USUAL_PORTS = Object.values(usualPorts);

import { HostError } from '@polyvisor/errors/host-error';
import type { GuestView } from '@polyvisor/host/control/views';
import type { GuestSpec } from '@polyvisor/host/guest-spec';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { runFlags } from '../commands.ts';
import { evmOptionsOf } from '../evm-flags.ts';
import { givenFlags, linuxSpecOf } from '../linux-flags.ts';
import { printGuests } from '../print-guests.ts';
import { attachToTerminal } from './attach.ts';

export async function run(call: CommandCall): Promise<void> {
  const kind = required(call, 0);
  const makeSpec = Object.hasOwn(specs, kind) ? specs[kind as keyof typeof specs] : undefined;
  if (makeSpec === undefined) {
    const kinds = Object.keys(specs).join(', ');
    throw new HostError('no-kind', `there is no kind of guest '${kind}'`, `kinds are ${kinds}`);
  }
  checkFlags(kind, call);
  const { options } = call;
  const spec = makeSpec(options['name'] as string | undefined, options);
  const client = findClient(kind, call);
  if (client === undefined) return await (await import('./linux.ts')).run(call);
  const made = (await client.call('POST', '/v1/guests', spec)) as GuestView;
  const isAttached = options['interactive'] === true || options['tty'] === true;
  if (isAttached) await attachToTerminal(call, client, made.name);
  else printGuests(call, [made], made);
}

const specs: Readonly<
  Record<
    keyof typeof runFlags,
    (name: string | undefined, options: Readonly<Record<string, unknown>>) => GuestSpec
  >
> = {
  // A guest without a port could be reached by nobody: any free one, unless the user names it.
  evm: (name, options) => ({
    kind: 'evm',
    ...(name === undefined ? {} : { name }),
    options: { port: 0, ...evmOptionsOf(options) },
  }),
  linux: linuxSpecOf,
};

/** @throws HostError `bad-option` for a flag of another kind */
function checkFlags(kind: string, { options }: CommandCall): void {
  for (const [other, flags] of Object.entries(runFlags)) {
    if (other === kind) continue;
    const [given] = givenFlags(flags, options);
    if (given !== undefined)
      throw new HostError('bad-option', `${given} is for guests of kind ${other}`);
  }
}

/** Undefined where no host runs, and none was asked for: a computer then has one of its own. */
function findClient(kind: string, call: CommandCall): ReturnType<typeof clientOf> | undefined {
  try {
    return clientOf(call);
  } catch (error) {
    const isNone = error instanceof HostError && error.code === 'no-host';
    if (isNone && kind === 'linux' && call.options['host'] === undefined) return undefined;
    throw error;
  }
}

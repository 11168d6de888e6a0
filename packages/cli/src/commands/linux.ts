import { onGuestEnd } from '@polyvisor/host/guest-end';
import type { Host } from '@polyvisor/host/host';
import type { CommandCall } from '../command.ts';
import { joinConsole } from '../console-session.ts';
import { linuxSpecOf } from '../linux-flags.ts';
import { serve } from '../serve.ts';
import { servePlan } from '../serve-plan.ts';

/** One computer on a host of its own. At a terminal it is the computer's, until that is off. */
export async function run(call: CommandCall): Promise<void> {
  const { terminal, options, signal } = call;
  const name = (options['name'] as string | undefined) ?? 'linux';
  const plan = servePlan([{ ...linuxSpecOf(name, options), name }], options);
  const isAttached =
    !plan.once &&
    plan.output === 'banner' &&
    (terminal.isInteractive || options['interactive'] === true || options['tty'] === true);
  await serve(
    terminal,
    isAttached ? { ...plan, run: { keys: 'leave: ctrl-]', until: attachTo(call, name) } } : plan,
    signal,
  );
}

function attachTo({ terminal }: CommandCall, name: string) {
  return async (host: Host, ended: AbortSignal): Promise<void> => {
    const guest = host.guest(name);
    const off = new AbortController();
    const endEvents = onGuestEnd(host, guest, () => off.abort());
    try {
      await joinConsole(terminal, guest.console, AbortSignal.any([ended, off.signal]));
    } finally {
      endEvents();
    }
  };
}

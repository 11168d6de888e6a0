import type { CommandCall } from './command.ts';
import { ControlClient } from './control-client.ts';

/** The host that a command's flags mean. @throws HostError `no-host`, `several-hosts`, `no-token` */
export function clientOf({ options }: CommandCall): ControlClient {
  const url = options['host'] as string | undefined;
  const token = options['token'] as string | undefined;
  return new ControlClient({
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  });
}

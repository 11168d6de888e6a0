import type { GuestSpec } from '@polyvisor/host/guest-spec';
import type { Config } from './config.ts';
import type { ServePlan } from './serve.ts';

/** What the flags of `serveFlags` say, over what a configuration says. */
export function servePlan(
  guests: readonly (GuestSpec & { readonly name: string })[],
  options: Readonly<Record<string, unknown>>,
  config: Pick<Config, 'console' | 'dataDirectory'> = {},
): ServePlan {
  const port = options['consolePort'] as number | undefined;
  const isClosed = options['console'] === false || (config.console === false && port === undefined);
  const configured = config.console === false ? {} : config.console;
  const isQuiet = options['quiet'] === true || options['silent'] === true;
  return {
    guests,
    dataDirectory: (options['dataDir'] as string | undefined) ?? config.dataDirectory,
    logDestination: options['log'] as string | undefined,
    console: isClosed ? false : { ...configured, ...(port === undefined ? {} : { port }) },
    output: options['json'] === true ? 'json' : isQuiet ? 'quiet' : 'banner',
    once: options['once'] === true,
  };
}

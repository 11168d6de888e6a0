import type { GuestSpec } from '@polyvisor/host/guest-spec';

/** What `polyvisor up` brings up: the default export of `polyvisor.config.ts`, or a JSON file. */
export interface Config {
  /** By name, in the order they start. */
  readonly guests: Readonly<Record<string, GuestSpec>>;
  /** Directory that keeps the guests, relative to the file. Default: none, they are gone with the host. */
  readonly dataDirectory?: string;
  /** Where the console and the control API listen; false: nowhere. */
  readonly console?: ConsoleConfig | false;
}

export interface ConsoleConfig {
  /** 0: any free port. Default 7400, or any free one when that is taken. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

import { HostError } from '@polyvisor/errors/host-error';

/**
 * Ports where there is no flag and no configuration: those that people know, moved by environment variables where
 * they are taken. 0 is any free one.
 */
export const usualPorts = {
  /** JSON-RPC of the first EVM chain, as of Hardhat and anvil. */
  POLYVISOR_PORT: 8545,
  /** Console and control API. */
  POLYVISOR_CONSOLE_PORT: 7400,
} as const;

/** @throws HostError `bad-option` for a variable that is no port */
export function usualPort(
  variable: keyof typeof usualPorts,
  env: NodeJS.ProcessEnv = process.env,
): number {
  const text = env[variable];
  if (text === undefined || text === '') return usualPorts[variable];
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new HostError('bad-option', `${variable}: '${text}' is no port`, 'give 0 to 65535');
}

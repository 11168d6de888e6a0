/** What the process says to the shell, by what went wrong. Codes of HostError that aren't here exit with `failure`. */
export const exitCodes = {
  ok: 0,
  /** It did not work: the guest or the host said no. */
  failure: 1,
  /** The command line is wrong: an unknown flag, a missing argument, a value out of range. */
  usage: 2,
  /** The configuration file is wrong. */
  config: 3,
  /** No host runs, or it does not answer. */
  noHost: 4,
  /** There is no such guest, snapshot, image or method. */
  notFound: 5,
  /** Somebody else has it: a port, a name, the data directory; or the guest is in another state. */
  conflict: 6,
  /** A bug of ours. */
  bug: 70,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const ofHostErrors: Readonly<Record<string, ExitCode>> = {
  'bad-option': exitCodes.usage,
  'bad-name': exitCodes.usage,
  'bad-size': exitCodes.usage,
  'bad-config': exitCodes.config,
  'no-host': exitCodes.noHost,
  'several-hosts': exitCodes.noHost,
  'no-token': exitCodes.noHost,
  'wrong-token': exitCodes.noHost,
  'no-guest': exitCodes.notFound,
  'no-snapshot': exitCodes.notFound,
  'no-kind': exitCodes.notFound,
  'no-image': exitCodes.notFound,
  'no-route': exitCodes.notFound,
  'no-file': exitCodes.notFound,
  'wrong-state': exitCodes.conflict,
  'port-busy': exitCodes.conflict,
  'guest-name-taken': exitCodes.conflict,
  'snapshot-name-taken': exitCodes.conflict,
  'data-directory-busy': exitCodes.conflict,
  'file-exists': exitCodes.conflict,
  'image-exists': exitCodes.conflict,
};

/** @param code of a HostError */
export function exitCodeOf(code: string): ExitCode {
  return ofHostErrors[code] ?? exitCodes.failure;
}

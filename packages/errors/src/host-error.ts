/**
 * A mistake of the person or program that uses the host: a busy port, a wrong flag, an unknown guest.
 * `code` is stable and machine-readable (`port-busy`), `message` says what is wrong and where,
 * `hint` what to do about it. A guest's own end is never an error but a value: see the engines.
 */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

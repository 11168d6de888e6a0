/**
 * Why bytes are refused. `malformed`: not the binary format; `invalid`: against the typing rules; `limit`: more than
 * an engine takes; `not-supported`: perhaps a good module, but with something that we do not know.
 */
export class WasmError extends Error {
  override readonly name = 'WasmError';
  readonly kind: 'malformed' | 'invalid' | 'limit' | 'not-supported';
  /** Where in the module, in bytes; undefined for what concerns no one place. */
  readonly offset: number | undefined;

  constructor(kind: WasmError['kind'], message: string, offset?: number) {
    super(offset === undefined ? message : `${message}, at byte ${offset}`);
    this.kind = kind;
    this.offset = offset;
  }
}

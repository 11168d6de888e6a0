/**
 * A request that the chain refuses, as JSON-RPC says it: `code` is the error's number, `data` e.g. revert data.
 * Messages are those of geth, which clients match on. @see go-ethereum, core/error.go and core/txpool/errors.go
 */
export class EthError extends Error {
  override readonly name = 'EthError';
  readonly code: number;
  readonly data: string | undefined;

  constructor(message: string, code = -32000, data?: string) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

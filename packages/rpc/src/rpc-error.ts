/**
 * An answer that is an error. `data` goes out as it is.
 * @see JSON-RPC 2.0 specification, section 5.1
 */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** @see JSON-RPC 2.0, section 5.1, and EIP-1474 */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  invalidInput: -32000,
  resourceNotFound: -32001,
  resourceUnavailable: -32002,
  transactionRejected: -32003,
  methodNotSupported: -32004,
  limitExceeded: -32005,
} as const;

/** The message is no request. */
export function invalidRequest(why: string): RpcError {
  return new RpcError(rpcCodes.invalidRequest, `invalid request: ${why}`);
}

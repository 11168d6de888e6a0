import { HostError } from '@polyvisor/errors/host-error';

/**
 * What one client, or all of them together, can make a server keep or do. Every one is an integer
 * of 1 or more.
 */
export interface RpcLimits {
  /** Of one HTTP body or WebSocket message. */
  readonly bodyBytesMax: number;
  /** Arrays and objects around a value, those of the message itself included. */
  readonly depthMax: number;
  /** Calls in one batch. */
  readonly batchLengthMax: number;
  /** Of the answer to one call, and of the answers to one batch together. */
  readonly answerBytesMax: number;
  /** Connections at a time, HTTP and WebSocket together. */
  readonly connectionsMax: number;
  /** Messages of one WebSocket connection that are being answered at a time; a batch is one. */
  readonly pendingMax: number;
  /** What a WebSocket client may leave unread when the next message to it is due. */
  readonly unreadBytesMax: number;
  /** Until a request's headers are complete. */
  readonly headersTimeoutMs: number;
  /** Until a request's body is complete. */
  readonly requestTimeoutMs: number;
  /** How long an HTTP connection may wait for its next request. */
  readonly idleTimeoutMs: number;
}

/**
 * Sizes and times of geth where it has one, so that what works with it works here.
 * @see go-ethereum, rpc/http.go (defaultBodyLimit, DefaultHTTPTimeouts), node/defaults.go
 * (BatchRequestLimit)
 * @see serde_json, RecursionLimit (128), which anvil and the Rust nodes parse with
 */
export const defaultRpcLimits: RpcLimits = {
  bodyBytesMax: 5 * 1024 * 1024,
  depthMax: 128,
  batchLengthMax: 1000,
  answerBytesMax: 128 * 1024 * 1024,
  connectionsMax: 1000,
  pendingMax: 1000,
  unreadBytesMax: 32 * 1024 * 1024,
  headersTimeoutMs: 30_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 120_000,
};

/** @throws HostError `bad-option` for a limit that is unknown or no integer of 1 or more */
export function resolveLimits(limits: Partial<RpcLimits> = {}): RpcLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaultRpcLimits, name)) {
      const known = Object.keys(defaultRpcLimits).join(', ');
      throw new HostError('bad-option', `limits.${name} is no limit`, `limits are ${known}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new HostError('bad-option', `limits.${name} is ${value}`, 'give an integer above 0');
    }
  }
  return { ...defaultRpcLimits, ...limits };
}

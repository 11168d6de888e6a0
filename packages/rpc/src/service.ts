/**
 * What answers JSON-RPC calls, whatever carries them: HTTP, WebSocket, or a program in the same
 * process. One service per guest; a session per connection.
 */
export interface RpcService {
  /**
   * Answers one call. The value goes out as JSON; `undefined` as null.
   * @param params as the client sent them: an array, an object, or undefined
   * @throws RpcError for what the client is told; anything else is a bug of ours and is told as
   * -32603
   */
  call(method: string, params: unknown, session: RpcSession): unknown;
}

/** One client's connection, as methods see it. */
export interface RpcSession {
  /** Sends a notification, where the transport can: subscriptions need it. */
  readonly notify: ((method: string, params: unknown) => void) | undefined;
  /**
   * Calls back once, when the connection is gone. HTTP calls have none of their own: they never
   * call back.
   */
  onClose(listener: () => void): void;
}

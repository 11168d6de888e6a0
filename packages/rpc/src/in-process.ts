import { requestRecord, startTimer } from './request-record.ts';
import type { RequestRecord } from './request-record.ts';
import { RpcError, invalidRequest, rpcCodes } from './rpc-error.ts';
import type { RpcService, RpcSession } from './service.ts';

/**
 * A connection to a service in the same process. Values go both ways as they are, without JSON.
 * @see EIP-1193
 */
export interface InProcessProvider extends Disposable {
  /** @throws ProviderRpcError */
  request(call: { readonly method: string; readonly params?: unknown }): Promise<unknown>;
  /**
   * Events: `message`, a `ProviderMessage` for each notification. A listener is called once,
   * however often added.
   */
  on(event: string, listener: (message: ProviderMessage) => void): this;
  removeListener(event: string, listener: (message: ProviderMessage) => void): this;
  /** Ends the connection, and its subscriptions with it. */
  [Symbol.dispose](): void;
}

/** A notification: of subscriptions, `{type: 'eth_subscription', data: {subscription, result}}`. */
export interface ProviderMessage {
  readonly type: string;
  readonly data: unknown;
}

/** @see EIP-1193, "Errors" */
export class ProviderRpcError extends Error {
  override readonly name = 'ProviderRpcError';
  readonly code: number;
  readonly data: unknown;

  constructor(error: RpcError, options?: ErrorOptions) {
    super(error.message, options);
    this.code = error.code;
    this.data = error.data;
  }
}

export interface InProcessOptions {
  /** Called for each call when its answer is ready. */
  readonly onRequest?: (record: RequestRecord) => void;
  /**
   * Called with what the service threw and is no RpcError. The caller has it too, as its error's
   * `cause`.
   */
  readonly onBug?: (error: unknown) => void;
}

export function connectInProcess(
  service: RpcService,
  options: InProcessOptions = {},
): InProcessProvider {
  const { onRequest, onBug } = options;
  const session = new InProcessSession();

  const request: InProcessProvider['request'] = async ({ method, params }) => {
    const timer = onRequest === undefined ? undefined : startTimer();
    let error: ProviderRpcError | undefined;
    try {
      checkCall(method, params, session);
      const result = await service.call(method, params ?? undefined, session);
      return result === undefined ? null : result;
    } catch (thrown) {
      if (!(thrown instanceof RpcError)) onBug?.(thrown);
      error = providerError(thrown);
      throw error;
    } finally {
      if (timer !== undefined) {
        onRequest?.(requestRecord(timer, 'in-process', String(method), params, error));
      }
    }
  };

  const provider: InProcessProvider = {
    request,
    on(event, listener) {
      if (event === 'message') session.listeners.add(listener);
      return provider;
    },
    removeListener(event, listener) {
      if (event === 'message') session.listeners.delete(listener);
      return provider;
    },
    [Symbol.dispose]: () => session.close(),
  };
  return provider;
}

class InProcessSession implements RpcSession {
  readonly listeners = new Set<(message: ProviderMessage) => void>();
  readonly #closeListeners: (() => void)[] = [];
  isClosed = false;

  readonly notify = (type: string, data: unknown): void => {
    for (const listener of this.listeners) {
      // Later: a listener that calls the service must not find it in the middle of a change.
      queueMicrotask(() => {
        if (this.listeners.has(listener)) listener({ type, data });
      });
    }
  };

  onClose(listener: () => void): void {
    if (this.isClosed) listener();
    else this.#closeListeners.push(listener);
  }

  close(): void {
    this.isClosed = true;
    this.listeners.clear();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}

function checkCall(method: unknown, params: unknown, session: InProcessSession): void {
  if (session.isClosed) throw new RpcError(DISCONNECTED, 'the provider is disconnected');
  if (typeof method !== 'string' || method === '') throw invalidRequest('method must be a string');
  if (params !== undefined && typeof params !== 'object') {
    throw invalidRequest('params must be an array or an object');
  }
}

function providerError(thrown: unknown): ProviderRpcError {
  if (thrown instanceof RpcError) return new ProviderRpcError(thrown);
  const error = new RpcError(rpcCodes.internalError, 'internal error');
  return new ProviderRpcError(error, { cause: thrown });
}

/** @see EIP-1193, "Provider errors" */
const DISCONNECTED = 4900;

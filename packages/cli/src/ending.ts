/** Resolves once somebody wants the process to end; a second signal ends it at once, as the system does. */
export class Ending implements Disposable {
  readonly promise: Promise<void>;
  readonly end: () => void;
  readonly #ended = new AbortController();

  constructor(signal?: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.promise = promise;
    this.end = resolve;
    for (const name of ENDING_SIGNALS) process.once(name, resolve);
    signal?.addEventListener('abort', () => resolve(), { signal: this.#ended.signal });
    if (signal?.aborted) resolve();
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    for (const name of ENDING_SIGNALS) process.off(name, this.end);
  }
}

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

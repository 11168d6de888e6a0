import { HostError } from '@polyvisor/errors/host-error';

/** The same three numbers as Firecracker's, so that limits can be carried over. */
export interface TokenBucketLimits {
  /** Tokens that it holds when full; also how many flow in during `refillTimeMs`. */
  readonly size: number;
  /** Tokens to begin with, used first and never filled again. Default: 0. */
  readonly oneTimeBurst?: number;
  /** Milliseconds in which an empty bucket becomes full. */
  readonly refillTimeMs: number;
}

/** Lets through `size` tokens each `refillTimeMs`, in bursts of at most `size`. Time is handed in. */
export class TokenBucket {
  readonly #limits: TokenBucketLimits;
  #burst: number;
  #tokens: number;
  #filledAtMs: number;

  /** @throws HostError `net-option` unless all numbers are finite, `size` and the time positive */
  constructor(limits: TokenBucketLimits, nowMs: number) {
    const { size, oneTimeBurst = 0, refillTimeMs } = limits;
    const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;
    const isBurst = Number.isFinite(oneTimeBurst) && oneTimeBurst >= 0;
    if (!isPositive(size) || !isPositive(refillTimeMs) || !isBurst) {
      throw new HostError('net-option', `a token bucket of ${JSON.stringify(limits)}`);
    }
    this.#limits = limits;
    this.#burst = oneTimeBurst;
    this.#tokens = size;
    this.#filledAtMs = nowMs;
  }

  /**
   * Takes `count` tokens, or none when there aren't so many. Who needs more than the bucket holds gets them when it
   * is full, and it owes the rest: so nothing waits for ever.
   */
  take(count: number, nowMs: number): boolean {
    if (this.waitMs(count, nowMs) > 0) return false;
    const fromBurst = Math.min(this.#burst, count);
    this.#burst -= fromBurst;
    this.#tokens -= count - fromBurst;
    return true;
  }

  /** Milliseconds until `take` of so many succeeds. */
  waitMs(count: number, nowMs: number): number {
    const { size, refillTimeMs } = this.#limits;
    const passedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(size, this.#tokens + (passedMs * size) / refillTimeMs);
    const needed = Math.min(count - Math.min(this.#burst, count), size);
    // Times are fractions: somebody who waited as long as told isn't sent away for the last billionth.
    return needed <= this.#tokens + 1e-6 ? 0 : ((needed - this.#tokens) * refillTimeMs) / size;
  }
}

export interface RateLimits {
  /** Tokens are bytes. */
  readonly bandwidth?: TokenBucketLimits;
  /** Tokens are requests or frames. */
  readonly operations?: TokenBucketLimits;
}

/** Both limits at once. */
export class RateLimiter {
  readonly #bandwidth: TokenBucket | undefined;
  readonly #operations: TokenBucket | undefined;

  constructor({ bandwidth, operations }: RateLimits, nowMs: number) {
    this.#bandwidth = bandwidth && new TokenBucket(bandwidth, nowMs);
    this.#operations = operations && new TokenBucket(operations, nowMs);
  }

  /** Milliseconds until one operation on `bytes` bytes may pass. */
  waitMs(bytes: number, nowMs: number): number {
    return Math.max(
      this.#bandwidth?.waitMs(bytes, nowMs) ?? 0,
      this.#operations?.waitMs(1, nowMs) ?? 0,
    );
  }

  /** Lets one operation pass, or neither limit is touched. */
  take(bytes: number, nowMs: number): boolean {
    if (this.waitMs(bytes, nowMs) > 0) return false;
    this.#bandwidth?.take(bytes, nowMs);
    this.#operations?.take(1, nowMs);
    return true;
  }
}

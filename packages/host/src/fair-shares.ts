import { assert } from '@polyvisor/errors/assert';

/**
 * Weighted fair sharing of one CPU by virtual time, with a cap per member: who runs next, for how long, and
 * what a slice cost. Pure: the caller says what time it is, so the same calls give the same picks.
 *
 * A member's virtual time grows by CPU time / weight, and the runnable member with the least runs next. One that
 * wakes, or was held back by its cap, starts at the present virtual time: sleeping saves nothing up.
 * A cap is a token bucket of CPU milliseconds that refills at `cap` milliseconds per millisecond.
 * All times are milliseconds; `nowMs` is monotonic.
 * @see I. Stoica et al., "A Proportional Share Resource Allocation Algorithm", RTSS 1996; Linux
 *   Documentation/scheduler/sched-design-CFS.rst
 */
export class FairShares {
  #virtualTimeMs = 0;
  #joined = 0;
  readonly #runnable = new Set<Member>();
  readonly #heldBack = new Set<Member>();
  readonly #sliceMs: number;
  readonly #capWindowMs: number;

  constructor(limits: FairShareLimits = {}) {
    this.#sliceMs = limits.sliceMs ?? SLICE_MS;
    this.#capWindowMs = limits.capWindowMs ?? CAP_WINDOW_MS;
  }

  /** A new member, asleep. */
  join(share: CpuShare, nowMs: number): Member {
    const member: Member = {
      order: this.#joined++,
      weight: 1,
      cap: undefined,
      virtualTimeMs: this.#virtualTimeMs,
      tokensMs: 0,
      refilledAtMs: nowMs,
      state: 'asleep',
    };
    this.setShare(member, share, nowMs);
    member.tokensMs = this.#bucketMs(member);
    return member;
  }

  leave(member: Member): void {
    this.sleep(member);
  }

  setShare(member: Member, share: CpuShare, nowMs: number): void {
    assert(share.weight > 0, 'the spec is validated before it gets here');
    this.#refill(member, nowMs);
    member.weight = share.weight;
    member.cap = share.cap;
    member.tokensMs = Math.min(member.tokensMs, this.#bucketMs(member));
  }

  /** Makes a member runnable, at the present virtual time. Nothing happens to one that is already. */
  wake(member: Member): void {
    if (member.state !== 'asleep') return;
    member.virtualTimeMs = Math.max(member.virtualTimeMs, this.#virtualTimeMs);
    member.state = 'runnable';
    this.#runnable.add(member);
  }

  sleep(member: Member): void {
    member.state = 'asleep';
    this.#runnable.delete(member);
    this.#heldBack.delete(member);
  }

  /** Whether no other member wants the CPU now. Held-back members do not: their caps forbid it. */
  isAlone(member: Member, nowMs: number): boolean {
    this.#release(nowMs);
    for (const other of this.#runnable) if (other !== member) return false;
    return true;
  }

  /** Milliseconds that `member` may run now; 0 when its cap is spent. */
  allowanceMs(member: Member, nowMs: number): number {
    if (member.cap === undefined) return this.#sliceMs;
    this.#refill(member, nowMs);
    if (member.state === 'held-back' && member.tokensMs < this.#resumeMs(member)) return 0;
    return member.tokensMs <= 0
      ? 0
      : Math.min(this.#sliceMs, Math.max(member.tokensMs, SLICE_MS_MIN));
  }

  /** Who runs next. Ties go to whoever joined first. O(members that are awake). */
  pick(nowMs: number): Pick {
    this.#release(nowMs);
    let least: Member | undefined;
    for (const member of this.#runnable) {
      if (this.allowanceMs(member, nowMs) === 0) {
        this.#holdBack(member);
        continue;
      }
      if (least === undefined || runsBefore(member, least)) least = member;
    }
    if (least !== undefined) {
      this.#virtualTimeMs = Math.max(this.#virtualTimeMs, least.virtualTimeMs);
      return { kind: 'run', member: least, sliceMs: this.allowanceMs(least, nowMs) };
    }
    let untilMs = Infinity;
    for (const member of this.#heldBack) {
      const missingMs = this.#resumeMs(member) - member.tokensMs;
      untilMs = Math.min(untilMs, member.refilledAtMs + missingMs / (member.cap ?? 1));
    }
    return untilMs === Infinity ? { kind: 'idle' } : { kind: 'wait', untilMs };
  }

  /** Books `cpuMs` that a member's slice took. */
  charge(member: Member, cpuMs: number, nowMs: number): void {
    member.virtualTimeMs += cpuMs / member.weight;
    if (member.cap === undefined) return;
    this.#refill(member, nowMs);
    member.tokensMs -= cpuMs;
  }

  /** Members whose bucket has filled up again are runnable again, as if they had just woken. */
  #release(nowMs: number): void {
    for (const member of this.#heldBack) {
      this.#refill(member, nowMs);
      if (member.tokensMs < this.#resumeMs(member)) continue;
      this.#heldBack.delete(member);
      member.virtualTimeMs = Math.max(member.virtualTimeMs, this.#virtualTimeMs);
      member.state = 'runnable';
      this.#runnable.add(member);
    }
  }

  #holdBack(member: Member): void {
    member.state = 'held-back';
    this.#runnable.delete(member);
    this.#heldBack.add(member);
  }

  #refill(member: Member, nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - member.refilledAtMs);
    member.refilledAtMs = nowMs;
    if (member.cap === undefined) return;
    member.tokensMs = Math.min(this.#bucketMs(member), member.tokensMs + elapsedMs * member.cap);
  }

  #bucketMs(member: Member): number {
    return member.cap === undefined ? Infinity : member.cap * this.#capWindowMs;
  }

  /** What a held-back member must have saved to run again: enough for a slice that is worth the switch. */
  #resumeMs(member: Member): number {
    return Math.min(SLICE_MS_MIN, this.#bucketMs(member));
  }
}

export interface CpuShare {
  /** Share of the CPU relative to the other members that want it; > 0. */
  readonly weight: number;
  /** Most CPU time it may have, as a fraction of one CPU in (0, 1]; undefined: no cap. */
  readonly cap: number | undefined;
}

export interface FairShareLimits {
  /** Longest slice. */
  readonly sliceMs?: number;
  /** A cap is kept over every window of this length: the bucket holds `cap` times as much. */
  readonly capWindowMs?: number;
}

/** A member's books. Only `FairShares` writes them. */
export interface Member {
  readonly order: number;
  weight: number;
  cap: number | undefined;
  virtualTimeMs: number;
  tokensMs: number;
  refilledAtMs: number;
  state: 'asleep' | 'runnable' | 'held-back';
}

export type Pick =
  | { readonly kind: 'run'; readonly member: Member; readonly sliceMs: number }
  /** Everyone who wants the CPU is over its cap until then. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'idle' };

/** Long enough that switching costs under 1 %, short enough that a server answers between two slices. */
const SLICE_MS = 2;
const SLICE_MS_MIN = 0.5;
const CAP_WINDOW_MS = 20;

function runsBefore(a: Member, b: Member): boolean {
  if (a.virtualTimeMs !== b.virtualTimeMs) return a.virtualTimeMs < b.virtualTimeMs;
  return a.order < b.order;
}

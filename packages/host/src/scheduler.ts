import { assert } from '@polyvisor/errors/assert';
import type { Machine, RunResult } from '@polyvisor/machine/machine';
import type { HostClock } from './clock.ts';
import { FairShares } from './fair-shares.ts';
import type { CpuShare, FairShareLimits, Member } from './fair-shares.ts';

/**
 * Runs machines on this thread in slices of about `sliceMs`, by the picks of `FairShares`, and gives the event
 * loop its turn between them. Nothing runnable: no timer, no CPU. Work for an otherwise idle CPU starts in the
 * caller's own turn (`runNow`), so a short call never waits for the event loop.
 */
export class Scheduler implements Disposable {
  readonly #clock: HostClock;
  readonly #shares: FairShares;
  readonly #turnMs: number;
  readonly #jobs = new Map<Member, Job>();
  #isInSlice = false;
  #isPumpDeferred = false;
  #isClosed = false;
  #cancelWait: (() => void) | undefined;
  #slices = 0;

  constructor(clock: HostClock, limits: FairShareLimits = {}) {
    this.#clock = clock;
    this.#shares = new FairShares(limits);
    this.#turnMs = limits.sliceMs ?? TURN_MS;
  }

  /** Slices given so far. */
  get slices(): number {
    return this.#slices;
  }

  /** A job for a machine; it sleeps until woken. `afterSlice` sees each result and may dispose of the job. */
  add(machine: Machine, share: CpuShare, hooks: JobHooks): Job {
    const member = this.#shares.join(share, this.#clock.nowMs());
    const job = new Job(machine, member, hooks, this.#onJobChange);
    this.#jobs.set(member, job);
    return job;
  }

  /** The machine has work. A paused job is remembered and runs when resumed. */
  wake(job: Job): void {
    job.hasWork = true;
    if (job.isPaused || job.isDisposed) return;
    this.#shares.wake(job.member);
    this.#deferPump();
  }

  /**
   * Wakes a job and, when no other machine wants the CPU, runs it in the caller's turn until `isDone`, it is idle,
   * its cap is spent, or the turn is over. What is left goes on through the event loop.
   */
  runNow(job: Job, isDone: () => boolean): void {
    job.hasWork = true;
    if (job.isPaused || job.isDisposed) return;
    this.#shares.wake(job.member);
    if (!this.#isInSlice && !this.#isClosed) this.#runAlone(job, isDone);
    if (job.member.state !== 'asleep') this.#deferPump();
  }

  setShare(job: Job, share: CpuShare): void {
    this.#shares.setShare(job.member, share, this.#clock.nowMs());
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#cancelWait?.();
    for (const job of this.#jobs.values()) job[Symbol.dispose]();
  }

  #runAlone(job: Job, isDone: () => boolean): void {
    const endMs = this.#clock.nowMs() + this.#turnMs;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      if (endMs - nowMs < SLICE_MS_MIN || !this.#shares.isAlone(job.member, nowMs)) return;
      const pick = this.#shares.pick(nowMs);
      if (pick.kind !== 'run' || pick.member !== job.member) return;
      this.#slice(job, pick.sliceMs);
      if (isDone() || job.member.state === 'asleep') return;
    }
  }

  /** One turn: slices until `turnMs` are over, then the event loop's turn. */
  readonly #pump = (): void => {
    this.#isPumpDeferred = false;
    if (this.#isClosed) return;
    const endMs = this.#clock.nowMs() + this.#turnMs;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      const pick = this.#shares.pick(nowMs);
      if (pick.kind === 'idle') return;
      if (pick.kind === 'wait') return this.#waitUntil(pick.untilMs, nowMs);
      if (endMs - nowMs < SLICE_MS_MIN) return this.#deferPump();
      const job = this.#jobs.get(pick.member);
      assert(job !== undefined, 'a disposed job has left the shares');
      this.#slice(job, Math.min(pick.sliceMs, endMs - nowMs));
    }
  };

  #slice(job: Job, sliceMs: number): void {
    this.#isInSlice = true;
    const startMs = this.#clock.cpuMs();
    const budget = job.budgetFor(sliceMs);
    job.hasWork = false;
    job.hooks.beforeSlice?.();
    const result = runContained(job.machine, budget);
    this.#isInSlice = false;
    this.#slices++;
    const cpuMs = this.#clock.cpuMs() - startMs;
    job.learn(result, cpuMs);
    this.#shares.charge(job.member, cpuMs, this.#clock.nowMs());
    if (result.reason === 'budget') job.hasWork = true;
    // Work handed in during the slice (a listener that answers a block with a transaction) keeps the job awake.
    if (!job.hasWork) this.#shares.sleep(job.member);
    job.hooks.afterSlice?.(result, cpuMs);
  }

  #deferPump(): void {
    if (this.#isPumpDeferred || this.#isClosed) return;
    this.#isPumpDeferred = true;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#clock.defer(this.#pump);
  }

  #waitUntil(untilMs: number, nowMs: number): void {
    this.#cancelWait?.();
    this.#cancelWait = this.#clock.after(Math.max(1, untilMs - nowMs), () => {
      this.#cancelWait = undefined;
      this.#pump();
    });
  }

  readonly #onJobChange = (job: Job): void => {
    if (job.isDisposed) {
      this.#shares.leave(job.member);
      this.#jobs.delete(job.member);
    } else if (job.isPaused) {
      this.#shares.sleep(job.member);
    } else if (job.hasWork) {
      this.#shares.wake(job.member);
      this.#deferPump();
    }
  };
}

export interface JobHooks {
  /** Before each slice: where the guest hands its machine the time of day. */
  beforeSlice?(): void;
  afterSlice?(result: RunResult, cpuMs: number): void;
}

/** One machine's place in the scheduler. Disposing of it takes the machine off the CPU for good. */
export class Job implements Disposable {
  readonly machine: Machine;
  readonly member: Member;
  readonly hooks: JobHooks;
  /** Whether the machine has something to do. The scheduler's to write. */
  hasWork = false;
  #isPaused = false;
  #isDisposed = false;
  #cpuMs = 0;
  #unitsPerMs = UNITS_PER_MS_FIRST;
  readonly #onChange: (job: Job) => void;

  constructor(machine: Machine, member: Member, hooks: JobHooks, onChange: (job: Job) => void) {
    this.machine = machine;
    this.member = member;
    this.hooks = hooks;
    this.#onChange = onChange;
  }

  /** CPU milliseconds spent so far. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** Present estimate of units of work done in a millisecond of CPU time. */
  get unitsPerMs(): number {
    return this.#unitsPerMs;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  pause(): void {
    this.#isPaused = true;
    this.#onChange(this);
  }

  resume(): void {
    this.#isPaused = false;
    this.#onChange(this);
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#onChange(this);
  }

  /** Units of work to hand to `Machine.run` for a slice of about `sliceMs`. */
  budgetFor(sliceMs: number): number {
    return Math.max(UNITS_MIN, Math.round(this.#unitsPerMs * sliceMs));
  }

  /**
   * Books a slice and moves the estimate towards it: at once when the machine was slower than thought (a slice that
   * overruns hurts everyone), by a quarter and fourfold at most when it was faster.
   */
  learn(result: RunResult, cpuMs: number): void {
    this.#cpuMs += cpuMs;
    if (cpuMs < LEARN_MS_MIN) {
      // Too short to tell the machine's pace from the clock's grain, but the whole budget was too little.
      if (result.reason === 'budget')
        this.#unitsPerMs = Math.min(this.#unitsPerMs * 2, UNITS_PER_MS_MAX);
      return;
    }
    if (result.used <= 0) return;
    const seen = result.used / cpuMs;
    const next =
      seen < this.#unitsPerMs
        ? seen
        : Math.min(this.#unitsPerMs * 4, this.#unitsPerMs + (seen - this.#unitsPerMs) / 4);
    this.#unitsPerMs = Math.max(1, next);
  }
}

/**
 * A machine that throws has a bug of ours, and its state can not be trusted any more: that machine's guest fails
 * with it, and no other.
 */
function runContained(machine: Machine, budget: number): RunResult {
  try {
    return machine.run(budget);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { reason: 'fault', used: 0, fault: { code: 'corrupt-state', message } };
  }
}

/** How long the scheduler keeps the thread before the event loop has its turn. */
const TURN_MS = 2;
/** A turn with less left than this is over. */
const SLICE_MS_MIN = 0.5;
/** First guess: an interpreter's pace, so that the first slice of a slow machine does not overrun. */
const UNITS_PER_MS_FIRST = 50_000;
const UNITS_PER_MS_MAX = 1e9;
const UNITS_MIN = 1_000;
const LEARN_MS_MIN = 0.1;

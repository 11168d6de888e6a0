import type { Machine, RunResult } from '@polyvisor/machine/machine';
import { describe, expect, test } from 'vitest';
import { Scheduler } from './scheduler.ts';
import type { Job } from './scheduler.ts';
import { FakeClock } from './testing/fake-clock.ts';

/** A machine with `work` units left, of which it does `unitsPerMs` in a millisecond. */
class FakeMachine implements Machine {
  readonly kind = 'fake';
  work: number;
  readonly #clock: FakeClock;
  readonly #unitsPerMs: number;
  spentMs = 0;
  longestSliceMs = 0;
  slices = 0;

  constructor(clock: FakeClock, work: number, unitsPerMs = 100_000) {
    this.#clock = clock;
    this.work = work;
    this.#unitsPerMs = unitsPerMs;
  }

  run(budget: number): RunResult {
    const used = Math.min(budget, this.work);
    this.work -= used;
    const ms = used / this.#unitsPerMs;
    this.#clock.ms += ms;
    this.spentMs += ms;
    this.slices++;
    if (this.slices > 20) this.longestSliceMs = Math.max(this.longestSliceMs, ms);
    return { reason: this.work > 0 ? 'budget' : 'idle', used };
  }

  usage(): { work: bigint; memoryBytes: number; storageBytes: number } {
    return { work: 0n, memoryBytes: 0, storageBytes: 0 };
  }
}

const share = { weight: 1, cap: undefined };

describe('saturated', () => {
  test('guests 1:2:4 at different speeds get CPU time 1:2:4 within 1 % over 10 s', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machines = [20_000, 400_000, 3_000].map(
      (speed) => new FakeMachine(clock, Infinity, speed),
    );
    for (const [index, machine] of machines.entries()) {
      scheduler.wake(scheduler.add(machine, { weight: 2 ** index, cap: undefined }, {}));
    }
    clock.turn(10_000);
    for (const [index, machine] of machines.entries()) {
      expect(Math.abs(machine.spentMs / clock.ms - 2 ** index / 7)).toBeLessThan(0.01);
    }
  });

  test('slices settle at two milliseconds whatever the speed of the machine', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    for (const speed of [500, 50_000, 5_000_000]) {
      const machine = new FakeMachine(clock, Infinity, speed);
      using job = scheduler.add(machine, share, {});
      scheduler.wake(job);
      clock.turn(clock.ms + 1_000);
      expect(machine.longestSliceMs).toBeLessThanOrEqual(2.01);
      expect(machine.longestSliceMs).toBeGreaterThan(1.5);
    }
  });

  test('caps of 0.1 and 0.5 are kept within 1 %, the rest of the CPU stays idle', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machines = [0.1, 0.5].map((cap) => {
      const machine = new FakeMachine(clock, Infinity);
      scheduler.wake(scheduler.add(machine, { weight: 1, cap }, {}));
      return machine;
    });
    clock.turn(10_000);
    expect(Math.abs((machines[0]?.spentMs ?? 0) / clock.ms - 0.1)).toBeLessThan(0.01);
    expect(Math.abs((machines[1]?.spentMs ?? 0) / clock.ms - 0.5)).toBeLessThan(0.01);
  });

  test('the event loop has its turn after at most two milliseconds of slices', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    for (let n = 0; n < 5; n++) {
      scheduler.wake(scheduler.add(new FakeMachine(clock, Infinity), share, {}));
    }
    clock.turn(1_000);
    let lastMs = clock.ms;
    for (let turns = 0; turns < 200; turns++) {
      clock.deferred.shift()?.();
      expect(clock.ms - lastMs).toBeLessThan(2.6);
      lastMs = clock.ms;
    }
  });

  test('a changed share takes effect', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machines = [new FakeMachine(clock, Infinity), new FakeMachine(clock, Infinity)];
    const jobs = machines.map((machine) => scheduler.add(machine, share, {}));
    for (const job of jobs) scheduler.wake(job);
    clock.turn(1_000);
    const before = machines.map((machine) => machine.spentMs);
    scheduler.setShare(jobs[0] as Job, { weight: 3, cap: undefined });
    clock.turn(5_000);
    const gained = machines.map((machine, index) => machine.spentMs - (before[index] ?? 0));
    expect(Math.abs((gained[0] ?? 0) / (gained[1] ?? 1) - 3)).toBeLessThan(0.05);
  });
});

describe('latency', () => {
  test('work for an idle CPU is done before runNow returns, without the event loop', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machine = new FakeMachine(clock, 30_000);
    const job = scheduler.add(machine, share, {});
    scheduler.runNow(job, () => machine.work === 0);
    expect(machine.work).toBe(0);
    expect(clock.deferred).toHaveLength(0);
  });

  test('long work goes on through the event loop after one turn', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machine = new FakeMachine(clock, 10_000_000);
    const job = scheduler.add(machine, share, {});
    scheduler.runNow(job, () => machine.work === 0);
    expect(clock.ms).toBeLessThan(5);
    expect(machine.work).toBeGreaterThan(0);
    clock.turn();
    expect(machine.work).toBe(0);
  });

  test('with another machine busy, runNow waits for its share', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    scheduler.wake(scheduler.add(new FakeMachine(clock, Infinity), share, {}));
    const machine = new FakeMachine(clock, 30_000);
    scheduler.runNow(scheduler.add(machine, share, {}), () => machine.work === 0);
    expect(machine.work).toBe(30_000);
    clock.turn(20);
    expect(machine.work).toBe(0);
  });

  test('a cap holds for runNow too', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machine = new FakeMachine(clock, Infinity);
    const job = scheduler.add(machine, { weight: 1, cap: 0.2 }, {});
    while (clock.ms < 5_000) {
      scheduler.runNow(job, () => false);
      clock.turn(clock.ms + 10);
    }
    expect(Math.abs(machine.spentMs / clock.ms - 0.2)).toBeLessThan(0.02);
  });
});

describe('idle', () => {
  test('nothing is deferred and no timer is set once all machines are idle', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    scheduler.wake(scheduler.add(new FakeMachine(clock, 500_000), share, {}));
    expect(clock.turn()).toBeGreaterThan(0);
    expect(clock.deferred).toHaveLength(0);
    expect(clock.timers).toHaveLength(0);
  });

  test('a paused machine gets no slice; resumed, it goes on', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machine = new FakeMachine(clock, 1_000_000);
    const job = scheduler.add(machine, share, {});
    job.pause();
    scheduler.wake(job);
    scheduler.runNow(job, () => false);
    clock.turn();
    expect(machine.slices).toBe(0);
    job.resume();
    clock.turn();
    expect(machine.work).toBe(0);
  });

  test('a machine that throws faults alone', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const results: RunResult[] = [];
    const broken: Machine = {
      kind: 'broken',
      run: () => {
        throw new Error('a bug');
      },
      usage: () => ({ work: 0n, memoryBytes: 0, storageBytes: 0 }),
    };
    const other = new FakeMachine(clock, 500_000);
    const job = scheduler.add(broken, share, { afterSlice: (result) => results.push(result) });
    scheduler.wake(job);
    scheduler.wake(scheduler.add(other, share, {}));
    clock.turn();
    expect(other.work).toBe(0);
    expect(results).toMatchObject([{ reason: 'fault', fault: { code: 'corrupt-state' } }]);
  });

  test('work handed in during a slice keeps the machine awake', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machine = new FakeMachine(clock, 1_000);
    let more = 3;
    const job: Job = scheduler.add(machine, share, {
      afterSlice: () => {
        if (more-- <= 0) return;
        machine.work += 1_000;
        scheduler.wake(job);
      },
    });
    scheduler.wake(job);
    clock.turn();
    expect(machine.slices).toBe(4);
  });

  test('a disposed job runs no more', () => {
    const clock = new FakeClock();
    using scheduler = new Scheduler(clock);
    const machine = new FakeMachine(clock, Infinity);
    const job = scheduler.add(machine, share, {});
    scheduler.wake(job);
    clock.turn(100);
    job[Symbol.dispose]();
    const { slices } = machine;
    clock.turn(200);
    expect(machine.slices).toBe(slices);
    expect(clock.deferred).toHaveLength(0);
  });
});

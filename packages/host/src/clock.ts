import { monotonicMs } from '@polyvisor/rpc/monotonic';

/**
 * Time and CPU time as the host sees them. Machines never do: the host hands them the time of day.
 * Tests give a clock of their own.
 */
export interface HostClock {
  /** Time of day, Unix milliseconds. */
  unixMs(): number;
  /** Milliseconds since some point, never going back. */
  nowMs(): number;
  /** CPU milliseconds that this thread has spent. */
  cpuMs(): number;
  /** Calls once, after what is waiting in the event loop had its turn. */
  defer(callback: () => void): void;
  /** Calls once, not before `delayMs` are over; the result cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: HostClock = {
  unixMs: () => Date.now(),
  nowMs: monotonicMs,
  cpuMs: threadCpuMs,
  defer: (callback) => void setImmediate(callback),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * CPU time of this thread (about 0.5 us a call): what a slice costs is then right even when the operating system
 * runs something else meanwhile.
 */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

import type { Boot } from '@polyvisor/board/boot';
import { TICKS_PER_SECOND } from '@polyvisor/board/device';
import type { FileTree } from '@polyvisor/board/fuse/file-tree';
import { GENERATION_ID_BYTES } from '@polyvisor/board/generation-id';
import { type ComputerMachine, createComputer, restoreComputer } from '@polyvisor/board/machine';
import type { ComputerOptions, SavedComputer } from '@polyvisor/board/machine';
import { SERIAL_OUTPUT_BYTES_MAX } from '@polyvisor/board/serial-output';
import type { VirtioNet } from '@polyvisor/board/virtio/net';
import { HostError } from '@polyvisor/errors/host-error';
import type { Mac } from '@polyvisor/net/address';
import { SendQueue } from '@polyvisor/net/tcp/send-queue';
import type { Machine, MachineUsage, RunResult } from '@polyvisor/machine/machine';
import type { AgentState, GuestAgent } from './guest-agent.ts';
import { feed } from './feed.ts';
import { forkMedia, makeDevices } from './linux-devices.ts';
import type { LinuxDevices, Media } from './linux-devices.ts';
import type { HostShares } from './host-shares.ts';
import type { GuestDisks, SavedDisks } from './guest-disks.ts';
import type { SerialConsole } from './serial-console.ts';
import type { SharedFiles } from './shared-files.ts';

/** A computer and what is outside of it at one moment. Immutable; its memory and its disks have to be released. */
export interface LinuxState {
  readonly saved: SavedComputer;
  readonly media: Media;
  readonly disks: SavedDisks;
  /** Below the disks. */
  readonly files: SharedFiles;
  /** The address of its card, which the guest has seen. */
  readonly mac: Mac;
  readonly agent: AgentState;
  /** Steps of the machines that came before a reboot. */
  readonly workBefore: bigint;
}

export interface LinuxParts {
  readonly ramBytes: number;
  /** What it boots, read when it does. */
  readonly boot: () => Boot;
  readonly media: Media;
  readonly disks: GuestDisks;
  readonly files: SharedFiles;
  readonly shares: HostShares;
  readonly mac: Mac;
  readonly console: SerialConsole;
  /** The agent, once it can be told of output. */
  readonly agent: () => GuestAgent;
  /** A new card, if the guest has a network. */
  readonly card: () => VirtioNet | undefined;
  readonly entropy: (length: number) => Uint8Array;
  readonly nowMs: () => number;
}

/** The most that a time leaps when the machine gets the CPU again; what is beyond it was missed in a pause. */
const LEAP_MS_MAX = 5000;
/** Steps between two looks at how much memory is in use, which cost some of them. */
const MEMORY_LOOK_STEPS = 200_000_000;
/** Steps before the first look: a computer that was just made or restored has little of its own. */
const FIRST_LOOK_STEPS = 1_000_000;
const TICKS_PER_MS = TICKS_PER_SECOND / 1000;
/** Where the pool is filled up again. */
const ENTROPY_WANTED_MIN = 2048;

/**
 * A computer that can be taken back to a state, and boots again when it resets. It goes on in time as the host says,
 * but for pauses.
 */
export class LinuxMachine implements Machine, Disposable {
  readonly kind = 'linux';
  readonly toAgent = new SendQueue();
  readonly #parts: LinuxParts;
  #computer: ComputerMachine;
  #devices: LinuxDevices;
  /** Host's time at tick 0. */
  #originMs = 0;
  #lastMs = 0;
  #isIdle = false;
  #hasEnded = false;
  #workBefore: bigint;
  /** As of the last look. */
  #memoryInUse = 0;
  #nextMemoryLook = 0;
  /** Bytes of its root that it began with: what it adds to them counts as its memory. */
  readonly #filesAtFirst: number;

  /** @throws HostError for images or sizes that can't be */
  constructor(parts: LinuxParts, state?: LinuxState) {
    this.#parts = parts;
    this.#filesAtFirst = bytesIn(parts.media);
    this.#workBefore = state?.workBefore ?? 0n;
    this.#devices = this.#makeDevices(parts.media);
    if (state) {
      this.#computer = restoreComputer(this.#restoreOptions(), state.saved);
      this.#renew();
    } else {
      this.#computer = this.#booted();
    }
  }

  /** Files on their way in or out of the present computer. */
  get exchange(): FileTree {
    return this.#devices.media.exchange;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Seconds that the guest has lived, as its own clock counts. */
  get uptimeSeconds(): number {
    return Math.floor(this.#computer.ticks / TICKS_PER_SECOND);
  }

  /** When it wants to be told the time again; undefined: never. */
  get wakesAtMs(): number | undefined {
    if (!this.#isIdle || this.#hasEnded) return undefined;
    const { wakesAt } = this.#computer;
    return wakesAt === Infinity ? undefined : Math.ceil(this.#originMs + wakesAt / TICKS_PER_MS);
  }

  /** Says how late it is. @returns whether there is work now */
  setNow(unixMs: number): boolean {
    const due = Math.max(this.#lastMs, this.wakesAtMs ?? 0);
    if (unixMs - due > LEAP_MS_MAX) this.#originMs += unixMs - due;
    this.#lastMs = unixMs;
    const ticks = Math.floor((unixMs - this.#originMs) * TICKS_PER_MS);
    // Asked before the time moves: a deadline that is past counts as one that the guest has masked.
    const isDue = !this.#hasEnded && this.#isIdle && this.#computer.wakesAt <= ticks;
    if (ticks > 0) this.#computer.moveTo(ticks);
    return isDue;
  }

  run(budget: number): RunResult {
    if (this.#hasEnded) return { reason: 'halt', used: 0 };
    this.#feed();
    const result = this.#computer.run(budget);
    this.#isIdle = result.reason === 'idle';
    const fault = this.#parts.disks.takeFault();
    const output = this.#computer.takeSerialOutput();
    this.#parts.console.output(output);
    if (fault) return { reason: 'fault', used: result.used, fault };
    // It may be idle only because there was no room, on the one side or on the other.
    if (this.#isIdle && (output.length >= SERIAL_OUTPUT_BYTES_MAX || this.#feed())) {
      return { reason: 'budget', used: result.used };
    }
    if (result.reason !== 'halt') return result;
    if (this.#computer.end?.kind === 'reset') {
      this.reboot();
      return { reason: 'budget', used: result.used };
    }
    this.#hasEnded = true;
    return result;
  }

  usage(): MachineUsage {
    const { steps } = this.#computer;
    return {
      work: this.#workBefore + BigInt(steps),
      memoryBytes:
        this.#memoryBytes(steps) +
        this.#parts.disks.memoryBytes +
        Math.max(0, bytesIn(this.#devices.media) - this.#filesAtFirst),
      storageBytes: this.#parts.disks.storageBytes,
    };
  }

  /** @throws HostError `guest-off`: one that is off has no state but its disks; `guest-shares` */
  state(): LinuxState {
    if (this.#hasEnded) {
      throw new HostError('guest-off', 'the computer is off', 'start it: it boots again');
    }
    if (this.#parts.shares.count > 0) {
      // What its kernel knows of the host's files would not be true of them when it goes on.
      const message = 'the computer shares folders of the host, which are no part of its state';
      throw new HostError('guest-shares', message, 'copy files in and out with cp instead');
    }
    const saved = this.#computer.save();
    let disks: SavedDisks;
    try {
      disks = this.#parts.disks.save();
    } catch (error) {
      saved[Symbol.dispose]();
      throw error;
    }
    return {
      saved,
      disks,
      media: forkMedia(this.#devices.media),
      files: this.#parts.files,
      mac: this.#parts.mac,
      agent: this.#parts.agent().state(),
      workBefore: this.#workBefore,
    };
  }

  /** Goes on from a state, whatever it did. */
  restore({ saved, disks, media, workBefore }: LinuxState): void {
    const before = this.#computer;
    const devices = this.#devices;
    const canGoBack = before.canGoBack(saved);
    this.#devices = this.#makeDevices(media);
    const options = this.#restoreOptions();
    let other: ComputerMachine | undefined;
    try {
      if (!canGoBack) other = restoreComputer(options, saved);
      disks.restore();
    } catch (error) {
      other?.[Symbol.dispose]();
      this.#devices = devices;
      throw error;
    }
    // Nothing can refuse from here on.
    if (other) before[Symbol.dispose]();
    else before.goBack(options, saved);
    this.#computer = other ?? before;
    this.#renew();
    this.#workBefore = workBefore;
  }

  /** Boots from what it first booted from, with its disks as they are. */
  reboot(): void {
    const before = this.#computer;
    this.#parts.agent().end(new HostError('guest-restarted', 'the guest began anew'));
    this.#workBefore += BigInt(before.steps);
    this.#devices = this.#makeDevices(this.#devices.media);
    this.#computer = this.#booted();
    before[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#computer[Symbol.dispose]();
  }

  #makeDevices(media: Media): LinuxDevices {
    const { card, agent, disks, shares } = this.#parts;
    return makeDevices(forkMedia(media), disks.devices, shares.open(), card(), (bytes) =>
      agent().receive(bytes),
    );
  }

  #booted(): ComputerMachine {
    const { ramBytes, entropy, nowMs } = this.#parts;
    const boot = this.#parts.boot();
    this.#begin(nowMs(), 0, 0);
    const options = {
      ramBytes,
      pciDevices: this.#devices.all,
      epochNs: BigInt(Math.floor(nowMs())) * 1_000_000n,
    };
    return createComputer(
      options,
      boot.kind === 'linux' ? { ...boot, rngSeed: entropy(32) } : boot,
    );
  }

  #restoreOptions(): ComputerOptions {
    return { ramBytes: this.#parts.ramBytes, pciDevices: this.#devices.all };
  }

  /** The computer was restored: it goes on now, as one that is not what it was before. */
  #renew(): void {
    const { entropy, nowMs } = this.#parts;
    // Randomness belongs to the machine that was saved: what is left of the pool, and the kernel's own.
    this.#devices.entropy.clear();
    this.#computer.renew(entropy(GENERATION_ID_BYTES));
    this.#begin(nowMs(), this.#computer.ticks, this.#computer.steps);
  }

  /** The machine's clock shows `ticks` now. */
  #begin(nowMs: number, ticks: number, steps: number): void {
    this.#memoryInUse = 0;
    this.#nextMemoryLook = steps + FIRST_LOOK_STEPS;
    this.#originMs = nowMs - ticks / TICKS_PER_MS;
    this.#lastMs = nowMs;
    this.#isIdle = false;
    this.#hasEnded = false;
    this.toAgent.drop(this.toAgent.length);
  }

  /** Hands in what waits for the guest. @returns whether any of it went in */
  #feed(): boolean {
    const { console, entropy } = this.#parts;
    const { agent, entropy: pool } = this.#devices;
    const waiting = console.input.length + this.toAgent.length;
    if (pool.wantedBytes >= ENTROPY_WANTED_MIN) pool.receive(entropy(pool.wantedBytes));
    feed(console.input, (bytes) => this.#computer.serialInput(bytes));
    feed(this.toAgent, (bytes) => agent.receive(bytes));
    return console.input.length + this.toAgent.length < waiting;
  }

  #memoryBytes(steps: number): number {
    if (steps >= this.#nextMemoryLook) {
      this.#nextMemoryLook = steps + MEMORY_LOOK_STEPS;
      this.#memoryInUse = this.#computer.usage().memoryBytes;
    }
    return this.#memoryInUse;
  }
}

/** Of files that the guest writes in memory of the host, as if it were a disk. */
function bytesIn({ root }: Media): number {
  if (!root) return 0;
  const { bytes, bytesFree } = root.statistics();
  return bytes - bytesFree;
}

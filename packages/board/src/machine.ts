import { sha256OfParts } from '@polyvisor/crypto/hashes';
import { assert } from '@polyvisor/errors/assert';
import type { Machine, MachineUsage, RunResult } from '@polyvisor/machine/machine';
import {
  type GuestMemory,
  type MemorySnapshot,
  createMemory,
  forkMemory,
} from '@polyvisor/memory/guest-memory';
import { PAGE_BYTES, isZeroPage } from '@polyvisor/memory/pages';
import type { HartSnapshot, Processor } from '@polyvisor/riscv/contract';
import { Hart } from '@polyvisor/riscv/hart';
import { Board } from './board.ts';
import { type Boot, boot, needsSbi } from './boot.ts';
import { RAM_BASE } from './layout.ts';
import { MachineClock, STEPS_PER_TICK } from './machine-clock.ts';
import { Ram } from './ram.ts';
import type { SbiBoard } from './sbi/function.ts';
import { serveSbi } from './sbi/sbi.ts';
import { SerialOutput } from './serial-output.ts';
import { StateReader, StateWriter } from './state.ts';
import type { PowerEnd } from './syscon.ts';
import type { VirtioDevice } from './virtio/device.ts';

export interface ComputerOptions {
  /** A multiple of 64 KiB, up to 4 GiB. */
  readonly ramBytes: number;
  readonly pciDevices?: readonly VirtioDevice[];
  readonly mmioDevices?: readonly VirtioDevice[];
  /**
   * `host`: time is what `moveTo` says, and goes on slowly between two calls. `steps`: it is what
   * the guest has done, and jumps where the guest only waits, so two runs with the same input are
   * the same.
   */
  readonly time?: 'host' | 'steps';
  readonly stepsPerTick?: number;
  /** Wall-clock time at tick 0, in nanoseconds since 1970; default 0. */
  readonly epochNs?: bigint;
  /**
   * Bytes of serial output that wait for the host before the machine stops for it; default 1 MiB.
   */
  readonly serialOutputBytesMax?: number;
}

/** A computer at one moment: its memory, and everything else. Immutable. */
export interface SavedComputer extends Disposable {
  readonly memory: MemorySnapshot;
  readonly state: Uint8Array;
  /** What its hart had decoded and compiled; without it, a computer that goes on from here begins that anew. */
  readonly hart?: HartSnapshot;
  /** Whether the board is the M-mode of its program. */
  readonly servesSbi: boolean;
}

const STATE_VERSION = 1;

/**
 * A RISC-V computer: one hart, RAM and the board's devices. Nothing comes in but by its methods and
 * its devices'.
 */
export class ComputerMachine implements Machine, Disposable {
  readonly kind = 'linux';
  readonly #memory: GuestMemory;
  readonly #servesSbi: boolean;
  readonly #ram: Ram;
  readonly #clock: MachineClock;
  #board: Board;
  readonly #hart: Processor;
  readonly #output: SerialOutput;
  readonly #isTimeSteps: boolean;
  readonly #sbi: SbiBoard;
  /** Ticks at which the timer of `set_timer` interrupts. */
  #timerAt = Infinity;
  #end: PowerEnd | undefined;
  /** Whether nothing was written to RAM since it was captured, or made of what was. */
  #isAtBase = false;

  /** Use `createComputer` and `restoreComputer`. */
  constructor(
    options: ComputerOptions,
    memory: GuestMemory,
    servesSbi: boolean,
    from?: HartSnapshot,
  ) {
    this.#memory = memory;
    this.#servesSbi = servesSbi;
    this.#isTimeSteps = options.time === 'steps';
    this.#output = new SerialOutput(options.serialOutputBytesMax);
    this.#ram = new Ram(memory, RAM_BASE);
    this.#clock = new MachineClock(options.stepsPerTick ?? STEPS_PER_TICK, () => this.#hart.steps);
    this.#board = this.#makeBoard(options);
    this.#hart = new Hart({
      memory: memory.memory,
      ramBase: RAM_BASE,
      ramBytes: memory.byteLength,
      bus: {
        load: (address, size) => this.#board.bus.load(address, size),
        store: (address, size, value) => this.#board.bus.store(address, size, value),
      },
      clock: (steps) => this.#clock.at(steps),
      isSbiOutside: servesSbi,
      ...(from && { from }),
    });
    this.#board.connect(this.#hart);
    this.#ram.onWritten = (address, length) => {
      this.#isAtBase = false;
      this.#hart.written(address, length);
    };
    this.#sbi = {
      processor: this.#hart,
      ram: this.#ram,
      setTimer: (ticks) => this.#setTimer(ticks),
      writeConsole: (bytes) => this.#transmit(bytes),
      readConsole: (lengthMax) => this.#board.uart.takeInput(lengthMax),
      end: (how) => this.#finish(how),
    };
  }

  /** How the guest ended, once it has. */
  get end(): PowerEnd | undefined {
    return this.#end;
  }

  /** Ticks since the machine was made. */
  get ticks(): number {
    return this.#clock.ticks;
  }

  /** After an idle run: when there is work again by itself, in ticks; Infinity if never. */
  get wakesAt(): number {
    const { deadline } = this.#hart;
    // One that is past has not woken the hart: its interrupt is masked.
    return Math.min(this.#nextEvent(), deadline > this.#clock.ticks ? deadline : Infinity);
  }

  /** Says how late it is, in ticks since the machine was made. Time does not go back. */
  moveTo(ticks: number): void {
    this.#clock.moveTo(ticks);
  }

  /**
   * The computer is not what it was before: its kernel gives out no random bytes that it gave out
   * then.
   * @param id 16 random bytes
   */
  renew(id: Uint8Array): void {
    this.#board.generation.renew(id);
  }

  /** Bytes typed on the serial line. @returns how many there was room for */
  serialInput(bytes: Uint8Array): number {
    return this.#board.uart.receive(bytes);
  }

  /** What came out of the serial line since the last call. */
  takeSerialOutput(): Uint8Array {
    return this.#output.take();
  }

  boot(what: Boot, mmioSlots: readonly number[]): void {
    boot(what, this.#hart, this.#ram, mmioSlots);
  }

  run(budget: number): RunResult {
    let used = 0;
    while (used < budget) {
      if (this.#end) return { reason: 'halt', used };
      if (this.#output.isFull) return { reason: 'idle', used };
      this.#elapse();
      const steps = Math.min(budget - used, this.#clock.stepsUntil(this.#nextEvent()));
      const result = this.#hart.run(steps);
      if (result.used > 0) this.#isAtBase = false;
      used += result.used;
      if (result.reason === 'sbi') serveSbi(this.#sbi);
      else if (result.reason === 'wfi' && !this.#wait(result.used > 0)) {
        return { reason: 'idle', used };
      }
    }
    return { reason: 'budget', used };
  }

  /** What it has done, in steps of the hart; a restored one goes on counting. */
  get steps(): number {
    return this.#hart.steps;
  }

  usage(): MachineUsage {
    return {
      work: BigInt(this.steps),
      memoryBytes: this.#memory.dirtyPages().length * PAGE_BYTES,
      storageBytes: 0,
    };
  }

  /**
   * SHA-256 of all that the computer is: its pages that are not all zeros, each behind its number,
   * and everything else. The same for two computers that go on in the same way.
   */
  digest(): Uint8Array {
    return sha256OfParts(this.#contents());
  }

  /**
   * Zeroes the page at a physical address: a guest that gave it away has no use for what it held.
   */
  releasePage(address: number): void {
    const page = this.#ram.bytes(address, PAGE_BYTES);
    if (!page) return;
    page.fill(0);
    this.#ram.written(address, PAGE_BYTES);
  }

  /**
   * The computer as it is between two runs, without what the host has not taken from its serial
   * line. The caller disposes of it.
   */
  save(): SavedComputer {
    assert(!this.#end, 'a computer that ended is not saved');
    const state = this.#saveState();
    using parts = new DisposableStack();
    const memory = parts.use(this.#isAtBase ? this.#memory.base() : this.#memory.snapshot());
    this.#isAtBase = true;
    const hart = parts.use(this.#hart.snapshot());
    const owned = parts.move();
    return {
      memory,
      state,
      hart,
      servesSbi: this.#servesSbi,
      [Symbol.dispose]: () => owned.dispose(),
    };
  }

  /**
   * Goes on as another did.
   * @throws HostError `machine-state` or `hart-state` for what was not saved by a computer like this
   *   one
   */
  load({ state, hart }: Pick<SavedComputer, 'state' | 'hart'>): void {
    this.#loadState(state, (hartState) =>
      hart ? this.#hart.goBack(hartState, []) : this.#hart.load(hartState),
    );
  }

  /** Whether this is where it was last saved, or what it was made from and never saved since. */
  canGoBack(saved: SavedComputer): boolean {
    return this.#memory.canResetTo(saved.memory);
  }

  /**
   * Goes back to where `canGoBack` says that it can, in place: in time that goes with the pages
   * written since.
   * @param options with new devices, as for `restoreComputer`
   * @throws HostError `machine-state` for other devices; it is then good for disposal only
   */
  goBack(options: ComputerOptions, saved: SavedComputer): void {
    assert(this.canGoBack(saved), 'a computer goes back to what its memory goes back to');
    const changed = [...this.#memory.dirtyPages()].map((page) => page * PAGE_BYTES);
    this.#memory.reset();
    this.#output.take();
    this.#end = undefined;
    this.#board = this.#makeBoard(options);
    this.#board.connect(this.#hart);
    this.#loadState(saved.state, (hartState) => this.#hart.goBack(hartState, changed));
  }

  [Symbol.dispose](): void {
    this.#hart[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
  }

  #makeBoard({ pciDevices = [], mmioDevices = [], epochNs = 0n }: ComputerOptions): Board {
    return new Board({
      clock: this.#clock,
      ram: this.#ram,
      epochNs,
      pciDevices,
      mmioDevices,
      transmit: (byte) => this.#transmit(Uint8Array.of(byte)),
      end: (how) => this.#finish(how),
    });
  }

  #loadState(state: Uint8Array, loadHart: (state: Uint8Array) => void): void {
    const reader = new StateReader(state);
    reader.section('computer', STATE_VERSION, (from) => {
      this.#clock.loadState(from);
      this.#timerAt = from.number();
      loadHart(from.bytes());
      this.#board.loadState(from);
    });
    reader.expectEnd();
    this.#isAtBase = true;
  }

  /** Everything but the memory. */
  #saveState(): Uint8Array {
    return new StateWriter()
      .section('computer', STATE_VERSION, (out) => {
        this.#clock.saveState(out);
        out.number(this.#timerAt).bytes(this.#hart.save());
        this.#board.saveState(out);
      })
      .finish();
  }

  *#contents(): Generator<Uint8Array> {
    const bytes = this.#memory.bytes();
    const words = new Int32Array(bytes.buffer);
    const number = new Uint8Array(4);
    for (let page = 0; page < bytes.length / PAGE_BYTES; page++) {
      if (isZeroPage(words, page)) continue;
      const content = bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      new DataView(number.buffer).setUint32(0, page, true);
      yield number;
      yield content;
    }
    yield this.#saveState();
  }

  #nextEvent(): number {
    return Math.min(this.#timerAt, this.#board.wakesAt);
  }

  /** Brings interrupts that time causes up to date. */
  #elapse(): void {
    if (this.#clock.ticks >= this.#timerAt) {
      this.#timerAt = Infinity;
      this.#hart.setLine('STIP', true);
    }
    this.#board.elapse();
  }

  /**
   * The hart waits for an interrupt. True where it may have one now, or once its time was moved on
   * to the next.
   */
  #wait(hasMoved: boolean): boolean {
    const now = this.#clock.ticks;
    // A hart that has moved has not looked at its own timer since.
    if (this.#nextEvent() <= now || (hasMoved && this.#hart.deadline <= now)) return true;
    const { wakesAt } = this;
    if (!this.#isTimeSteps || wakesAt === Infinity) return false;
    this.#clock.moveTo(wakesAt);
    return true;
  }

  /** A new time takes the interrupt of the old one back (SBI 2.0, section 6.1). */
  #setTimer(ticks: number): void {
    this.#timerAt = ticks;
    this.#hart.setLine('STIP', false);
  }

  #transmit(bytes: Uint8Array): number {
    this.#output.write(bytes);
    if (this.#output.isFull) this.#hart.stop();
    return bytes.length;
  }

  #finish(how: PowerEnd): void {
    this.#end = how;
    this.#hart.stop();
  }
}

/** A computer that is about to boot. @throws HostError for images or sizes that can't be */
export function createComputer(options: ComputerOptions, what: Boot): ComputerMachine {
  const memory = createMemory(options.ramBytes, { bytesMax: options.ramBytes });
  const mmioSlots = (options.mmioDevices ?? []).map((_, slot) => slot);
  return prepare(options, memory, needsSbi(what), (computer) => computer.boot(what, mmioSlots));
}

/**
 * A computer of its own that goes on where another was saved, sharing its memory until one of them
 * writes.
 * @param options as those of the saved one, with devices of the same kinds in the same slots
 * @throws HostError `machine-state` or `hart-state` where they are not
 */
export function restoreComputer(options: ComputerOptions, saved: SavedComputer): ComputerMachine {
  const memory = forkMemory(saved.memory, { bytesMax: options.ramBytes });
  const begin = (computer: ComputerMachine): void => computer.load(saved);
  return prepare(options, memory, saved.servesSbi, begin, saved.hart);
}

/** A computer over a memory that is given back if it can't be. */
function prepare(
  options: ComputerOptions,
  memory: GuestMemory,
  servesSbi: boolean,
  begin: (computer: ComputerMachine) => void,
  from?: HartSnapshot,
): ComputerMachine {
  using parts = new DisposableStack();
  parts.use(memory);
  const computer = new ComputerMachine(options, memory, servesSbi, from);
  parts.use(computer);
  begin(computer);
  parts.move();
  return computer;
}

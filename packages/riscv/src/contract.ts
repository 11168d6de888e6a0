/** What lies at physical addresses outside of RAM. Addresses are integers below 2^53. */
export interface MmioBus {
  /** An unsigned value, as a bigint only where `size` is 8; undefined where nothing answers: an access fault. */
  load(address: number, size: AccessSize): number | bigint | undefined;
  /** False where nothing answers. `value` is unsigned, a bigint where `size` is 8. */
  store(address: number, size: AccessSize, value: number | bigint): boolean;
}

/** Bytes. */
export type AccessSize = 1 | 2 | 4 | 8;

export interface HartOptions {
  /** RAM, from its byte 0 on; all else that the hart needs lies elsewhere, so a fork of it is a fork of the guest's. */
  readonly memory: WebAssembly.Memory;
  /** Physical address of RAM: a multiple of 4 KiB. */
  readonly ramBase: number;
  /** A multiple of 4 KiB. */
  readonly ramBytes: number;
  readonly bus: MmioBus;
  /**
   * Ticks that the `time` CSR shows, never less than before. `steps` counts all that the hart has done: a clock that
   * is a function of it alone makes every run the same; one that looks at the wall need not regard it.
   */
  readonly clock: (steps: number) => number;
  /**
   * Whether an ecall from S mode ends the run, for the board to serve; default: it traps to M mode. Then the hart
   * begins in S mode, to which all that it can handle is delegated.
   */
  readonly isSbiOutside?: boolean;
  /** `mhartid`; default 0. */
  readonly hartId?: number;
  /** Landings of jumps after which code is compiled, up to 65,535; more: never. Default 5000. It does the same. */
  readonly hotLandings?: number;
  /** Pages of code that are kept decoded, 40 KiB each; default 2048. With more, all are dropped. */
  readonly codePagesMax?: number;
  /**
   * Begins with what that hart had decoded and compiled, over a fork of its RAM; `goBack` gives it the state. What is
   * chosen above is as it was there.
   */
  readonly from?: HartSnapshot;
}

/** What a hart had decoded and compiled at one moment. Immutable. */
export type HartSnapshot = Disposable;

/** What ended a run. `sbi`: an ecall from S mode, behind which `pc` stands; `halt`: somebody called `stop`. */
export type RunReason = 'budget' | 'wfi' | 'sbi' | 'halt';

export interface HartRun {
  /** Steps, of which each is an instruction retired or a trap taken; at most the budget. */
  readonly used: number;
  readonly reason: RunReason;
}

/** Lines into the hart, each a level that stays until changed; names as the bits of `mip`. */
export type InterruptLineName = 'SSIP' | 'MSIP' | 'STIP' | 'MTIP' | 'SEIP' | 'MEIP';

/** The hart as a board sees it. */
export interface Processor extends Disposable {
  /**
   * Runs at most `budget` steps. `wfi`: nothing to do before an interrupt; the board may move its clock on to `deadline`.
   * Where it stops does not depend on how the steps are divided into runs.
   */
  run(budget: number): HartRun;
  /** Ends the present run behind the present instruction; to be called by the bus. */
  stop(): void;
  setLine(line: InterruptLineName, isHigh: boolean): void;
  /** Sets `mip.SSIP`, which the guest clears itself. */
  raiseSoftware(): void;
  /** The tick at which the timer (Sstc) interrupts; Infinity if never. */
  readonly deadline: number;
  /** Steps since the hart began. */
  readonly steps: number;
  /** Integer registers as unsigned numbers; nothing is written to number 0. */
  x(register: number): bigint;
  setX(register: number, value: bigint): void;
  pc: bigint;
  /** 0 user, 1 supervisor, 3 machine. */
  privilege: 0 | 1 | 3;
  /** Undefined where there is no such register. */
  csr(number: number): bigint | undefined;
  /** False where there is no such register. */
  setCsr(number: number, value: bigint): boolean;
  /** Drops what is known of RAM that somebody else wrote: a device, or a debugger. */
  written(address: number, length: number): void;
  /** Physical address of a virtual one, as a load in the present mode finds it; undefined where it would fault. */
  translate(address: bigint): number | undefined;
  /** Architectural state beside RAM, as bytes that `load` takes. */
  save(): Uint8Array;
  /** @throws HostError `hart-state` for bytes that `save` did not write */
  load(state: Uint8Array): void;
  /**
   * Goes on from a state of its own, or of the hart that it was made from, over RAM that the caller has put back, with
   * the code that it knows.
   * @param changed offsets in RAM of pages of 4 KiB: all that were put back
   * @throws HostError `hart-state` for bytes that `save` did not write
   */
  goBack(state: Uint8Array, changed: Iterable<number>): void;
  /**
   * What forks begin with beside the state, between two runs. RAM is the caller's to capture at the same moment.
   * @throws HostError `memory-map` where the operating system refuses
   */
  snapshot(): HartSnapshot;
}

import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { KECCAK_EMPTY, keccak256 } from '@polyvisor/crypto/keccak';
import { assert } from '@polyvisor/errors/assert';
import { create2Address, createAddress, isDelegation } from './addresses.ts';
import type { CodeCache, CompiledContract } from './compiler/code-cache.ts';
import { type CompiledUnit, superblockName } from './compiler/compiled-unit.ts';
import { ENGINE } from './compiler/linked-runtime.ts';
import { endings } from './halts.ts';
import type { Hardfork } from './hardfork.ts';
import {
  ACCOUNTS,
  ACCOUNT_SIZE,
  CODE,
  CODE_END,
  CODE_PADDING,
  FRAME_MEMORY,
  JOURNAL,
  LOGS,
  RETURN_DATA,
  RETURN_DATA_END,
  SCRATCH,
  SLOTS,
  SLOT_SIZE,
  account,
  accountFlag,
  contextAddress,
  frame,
  frameKinds,
  slot,
} from './layout.ts';
import { type ExportedFunction, engineModule } from './module.ts';
import { precompileAt } from './precompiles/precompiles.ts';
import { faultCodes, type imports } from './runtime/imports.ts';
import type { Globals } from './runtime/runtime.ts';
import type { ENDED, PAUSED } from './runtime/tiers.ts';
import { decodeLogs } from './logs.ts';
import type { BlockEnvironment, Tracer, WorldState } from './world.ts';

/** A limit of the engine was met. Thrown through WebAssembly and caught by the execution alone. */
export class EngineFault extends Error {
  override readonly name = 'EngineFault';
  readonly code: (typeof faultCodes)[number];

  constructor(code: (typeof faultCodes)[number]) {
    super(`the engine's limit '${code}' is reached`);
    this.code = code;
  }
}

type WasmGlobal<T> = { value: T };
type GlobalValues = {
  [name in keyof Globals]: WasmGlobal<name extends 'gas' | 'slice' | 'refund' ? bigint : number>;
};
type Functions = Record<ExportedFunction, (...args: (number | bigint)[]) => number>;

/** Code that stays loaded between transactions. */
interface LoadedCode {
  readonly address: number;
  readonly size: number;
  readonly jumpdests: number;
  /** 0 where nothing is compiled. */
  readonly cells: number;
  readonly contract: CompiledContract | undefined;
}

/** What an instance is made of. */
export interface InstanceOptions {
  readonly fork: Hardfork;
  readonly isTraced: boolean;
  readonly memoryBytesMax: number;
  readonly hashSeed: bigint;
  /** Where compiled code comes from; undefined: everything is interpreted. */
  readonly cache: CodeCache | undefined;
}

const TABLE_GROWTH = 64;

/** One WebAssembly instance of the engine: its memory seen from TypeScript, and what its code imports. */
export class EvmInstance {
  readonly fork: Hardfork;
  readonly globals: GlobalValues;
  readonly functions: Functions;
  readonly #exports: WebAssembly.Exports;
  readonly #cache: CodeCache | undefined;
  readonly #memory: WebAssembly.Memory;
  /** Code by its address, for code that can be compiled. */
  readonly #compilable = new Map<number, LoadedCode>();
  /** First free element of the table of superblocks. */
  #superblocks = 1;
  #linkedInstructions = 0;
  /** Gas that was left of the slice when it was last looked at. */
  #budget = 0n;
  readonly #codes = new Map<string, LoadedCode>();
  #codeTop = CODE;
  #bytes: Uint8Array;
  #view: DataView;
  /** What the running execution reads from; set by `begin`. */
  state!: WorldState;
  tracer: Tracer | undefined;

  constructor({ fork, isTraced, memoryBytesMax, hashSeed, cache }: InstanceOptions) {
    this.fork = fork;
    this.#cache = cache;
    const { module } = engineModule({ fork, isTraced, isTiered: cache !== undefined });
    const instance = new WebAssembly.Instance(module, { host: this.#host() });
    this.#exports = instance.exports;
    this.#memory = instance.exports['memory'] as WebAssembly.Memory;
    this.globals = instance.exports as unknown as GlobalValues;
    this.functions = instance.exports as unknown as Functions;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
    this.globals.memoryLimit.value = Math.min(FRAME_MEMORY + memoryBytesMax, 0xffff_0000) | 0;
    this.globals.accountsTop.value = ACCOUNTS;
    this.globals.slotsTop.value = SLOTS;
    this.hashSeed = hashSeed;
  }

  readonly hashSeed: bigint;

  /** Bytes of frame memory that were ever used: what the instance holds beside its tables. */
  get frameMemoryBytes(): number {
    return (this.globals.dirtyTop.value >>> 0) - FRAME_MEMORY;
  }

  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#refresh();
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#view.buffer !== this.#memory.buffer) this.#refresh();
    return this.#view;
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** Forgets the last transaction: tables are emptied entry by entry, so the cost is what it used. */
  begin(state: WorldState, tracer: Tracer | undefined): void {
    this.state = state;
    this.tracer = tracer;
    const { view, globals } = this;
    for (let p = ACCOUNTS; p < globals.accountsTop.value; p += ACCOUNT_SIZE) {
      view.setUint32(view.getUint32(p + account.indexAddress, true), 0, true);
    }
    for (let p = SLOTS; p < globals.slotsTop.value; p += SLOT_SIZE) {
      view.setUint32(view.getUint32(p + slot.indexAddress, true), 0, true);
    }
    globals.accountsTop.value = ACCOUNTS;
    globals.slotsTop.value = SLOTS;
    globals.journalTop.value = JOURNAL;
    globals.logsTop.value = LOGS;
    globals.returnSize.value = 0;
    globals.refund.value = 0n;
    const isFull = this.#codeTop > CODE + (CODE_END - CODE) / 2;
    const instructionsMax = this.#cache?.limits.instructionsMax ?? 0;
    if (isFull || this.#linkedInstructions > instructionsMax) this.#forgetCode();
  }

  #forgetCode(): void {
    this.#codes.clear();
    this.#compilable.clear();
    this.#codeTop = CODE;
    const table = this.#exports['table'] as WebAssembly.Table | undefined;
    for (let i = 1; i < this.#superblocks; i++) table!.set(i, null);
    this.#superblocks = 1;
    this.#linkedInstructions = 0;
  }

  // --- words: 32 bytes, little-endian limbs in the engine, big-endian outside

  readWord(address: number): bigint {
    const { view } = this;
    return (
      (view.getBigUint64(address + 24, true) << 192n) |
      (view.getBigUint64(address + 16, true) << 128n) |
      (view.getBigUint64(address + 8, true) << 64n) |
      view.getBigUint64(address, true)
    );
  }

  writeWord(address: number, value: bigint): void {
    const { view } = this;
    for (let limb = 0; limb < 4; limb++) {
      view.setBigUint64(address + 8 * limb, BigInt.asUintN(64, value >> BigInt(64 * limb)), true);
    }
  }

  /** The low `size` bytes of a word, big-endian: 32, or 20 for an address. */
  readBytes(address: number, size: number): Uint8Array {
    const { bytes } = this;
    const out = new Uint8Array(size);
    for (let i = 0; i < size; i++) out[i] = bytes[address + size - 1 - i]!;
    return out;
  }

  writeBytes(address: number, value: Uint8Array): void {
    const { bytes } = this;
    for (let i = 0; i < 32; i++) {
      bytes[address + i] = i < value.length ? value[value.length - 1 - i]! : 0;
    }
  }

  // --- accounts and slots

  /** The record of an account, loaded on first use. */
  accountAt(address: Uint8Array): number {
    const view = new DataView(address.buffer, address.byteOffset, 20);
    return this.functions.findAccount(
      view.getBigUint64(12),
      view.getBigUint64(4),
      BigInt(view.getUint32(0)),
    );
  }

  slotAt(record: number, key: Uint8Array): number {
    const view = new DataView(key.buffer, key.byteOffset, 32);
    return this.functions.findSlot(
      record,
      view.getBigUint64(24),
      view.getBigUint64(16),
      view.getBigUint64(8),
      view.getBigUint64(0),
    );
  }

  flags(record: number): number {
    return this.view.getUint32(record + account.flags, true);
  }

  setFlags(record: number, flags: number): void {
    this.functions.setFlags(record, flags);
  }

  balance(record: number): bigint {
    return this.readWord(record + account.balance);
  }

  setBalance(record: number, value: bigint): void {
    this.writeWord(record + account.balance, value);
  }

  nonce(record: number): bigint {
    return this.view.getBigUint64(record + account.nonce, true);
  }

  setNonce(record: number, value: bigint): void {
    this.view.setBigUint64(record + account.nonce, value, true);
  }

  isEmpty(record: number): boolean {
    const hasCode = this.flags(record) & accountFlag.hasCode;
    return !hasCode && this.nonce(record) === 0n && this.balance(record) === 0n;
  }

  code(record: number): Uint8Array {
    if (!(this.flags(record) & accountFlag.codeLoaded)) this.#loadCode(record);
    const at = this.view.getUint32(record + account.code, true);
    return this.bytes.subarray(at, at + this.view.getUint32(record + account.codeSize, true));
  }

  /** Gives an account code, which may be none. Not undoable. */
  setCode(record: number, code: Uint8Array): void {
    const { view } = this;
    const hash = code.length === 0 ? KECCAK_EMPTY : keccak256(code);
    this.writeBytes(record + account.codeHash, hash);
    let flags = this.flags(record) & ~(accountFlag.hasCode | accountFlag.delegated);
    flags |= accountFlag.codeLoaded | accountFlag.codeChanged;
    if (code.length > 0) flags |= accountFlag.hasCode;
    if (isDelegation(code)) flags |= accountFlag.delegated;
    view.setUint32(record + account.flags, flags, true);
    this.#attach(
      record,
      this.#load(hash, () => code),
    );
  }

  /** The transaction's logs, as bytes that stay; `decodeLogs` reads them. */
  takeLogs(): Uint8Array {
    return this.bytes.slice(LOGS, this.globals.logsTop.value);
  }

  // --- what the engine's code imports

  #host(): Record<keyof typeof imports, (...args: number[]) => number | void> {
    return {
      loadAccount: (record) => this.#loadAccount(record!),
      loadCode: (record) => this.#loadCode(record!),
      loadSlot: (record) => this.#loadSlot(record!),
      deployCode: (record, bytes, size) =>
        this.setCode(record!, this.bytes.slice(bytes!, bytes! + size!)),
      createAddress: (kind, creator, initcode, size, salt) =>
        this.#createAddress(kind!, creator!, initcode!, size!, salt!),
      precompile: (child) => this.#precompile(child!),
      blockHash: (word) => this.#blockHash(word!),
      hot: (pc) => this.#hot(pc!),
      fault: (code) => {
        throw new EngineFault(faultCodes[code!]!);
      },
      traceEnter: (child, kind) => this.#traceEnter(child!, kind!),
      traceExit: (ending, output, size) =>
        this.tracer?.exit?.({
          status: endings[ending!]!,
          gasLeft: this.globals.gas.value,
          output: this.bytes.subarray(output!, output! + size!),
        }),
      traceStep: (pc, sp) => this.#traceStep(pc!, sp!),
      traceLog: (record) =>
        this.tracer?.log?.(decodeLogs(this.bytes.slice(record!, this.globals.logsTop.value))[0]!),
    };
  }

  #loadAccount(record: number): void {
    const found = this.state.account(this.readBytes(record + account.address, 20));
    const { view } = this;
    if (!found) {
      this.writeBytes(record + account.codeHash, KECCAK_EMPTY);
      return;
    }
    let flags: number = accountFlag.exists;
    this.writeWord(record + account.balance, found.balance);
    this.writeWord(record + account.originalBalance, found.balance);
    view.setBigUint64(record + account.nonce, found.nonce, true);
    view.setBigUint64(record + account.originalNonce, found.nonce, true);
    this.writeBytes(record + account.codeHash, found.codeHash);
    if (!isEmptyHash(found.codeHash)) flags |= accountFlag.hasCode;
    if (found.hasStorage) flags |= accountFlag.hasStorage;
    view.setUint32(record + account.flags, flags, true);
    view.setUint32(record + account.originalFlags, flags, true);
  }

  #loadCode(record: number): void {
    let flags = this.flags(record) | accountFlag.codeLoaded;
    if (flags & accountFlag.hasCode) {
      const hash = this.readBytes(record + account.codeHash, 32);
      const loaded = this.#load(hash, () => this.state.code(hash));
      this.#attach(record, loaded);
      const code = this.bytes.subarray(loaded.address, loaded.address + loaded.size);
      if (isDelegation(code)) flags |= accountFlag.delegated;
    }
    this.view.setUint32(record + account.flags, flags, true);
  }

  #attach(record: number, loaded: LoadedCode): void {
    const { view } = this;
    view.setUint32(record + account.code, loaded.address, true);
    view.setUint32(record + account.codeSize, loaded.size, true);
    view.setUint32(record + account.jumpdests, loaded.jumpdests, true);
    view.setUint32(record + account.cells, loaded.cells, true);
  }

  /** Copies code into the engine's memory and maps its jump destinations, unless it is there. */
  #load(hash: Uint8Array, read: () => Uint8Array): LoadedCode {
    const key = bytesToLatin1(hash);
    const known = this.#codes.get(key);
    if (known) return known;
    // Compiled code keeps its program, so the bytes must be its own.
    const code = read();
    const address = this.#codeTop;
    const jumpdests = address + code.length + CODE_PADDING;
    const contract = this.#cache?.contract(key, code);
    const cells = contract ? (jumpdests + code.length + 64) & -16 : 0;
    const end = ((contract ? cells + 4 * (code.length + 1) : jumpdests + code.length) + 64) & -16;
    if (end > CODE_END) throw new EngineFault('code');
    this.bytes.set(code, address);
    this.bytes.fill(0, address + code.length, jumpdests);
    this.functions.findJumpdests(address, code.length, jumpdests);
    const loaded = { address, size: code.length, jumpdests, cells, contract };
    this.#codeTop = end;
    this.#codes.set(key, loaded);
    if (contract) {
      this.bytes.fill(0, cells, end);
      this.#compilable.set(address, loaded);
      for (const unit of contract.whole()) this.#link(loaded, unit);
    }
    return loaded;
  }

  /** Runs the frames until the slice of this much gas is spent or the outermost one ends. */
  run(gas: bigint): typeof PAUSED | typeof ENDED {
    const { view, globals } = this;
    globals.slice.value = view.getBigInt64(globals.frame.value + frame.gas, true) - gas;
    this.#budget = gas;
    return this.functions.run(1) as typeof PAUSED | typeof ENDED;
  }

  /** Gas left of the slice, when the running frame's is in its record. */
  #budgetLeft(): bigint {
    const { view, globals } = this;
    return view.getBigInt64(globals.frame.value + frame.gas, true) - globals.slice.value;
  }

  /** The running frame has been at `pc` another number of times. */
  #hot(pc: number): void {
    const { view } = this;
    const loaded = this.#compilable.get(
      view.getUint32(this.globals.frame.value + frame.code, true),
    )!;
    const left = this.#budgetLeft();
    this.#cache!.earn(Number(this.#budget - left));
    this.#budget = left;
    const visits = view.getUint32(loaded.cells + 4 * pc, true) >>> 1;
    const unit = loaded.contract!.unitAt(pc, visits);
    if (!unit) return;
    this.#link(loaded, unit);
    const count = (at: number, value: number): void => {
      const cell = loaded.cells + 4 * at;
      if (!(this.view.getUint32(cell, true) & 1)) this.view.setUint32(cell, 2 * value, true);
    };
    for (const inside of unit.jumpdests) count(inside, 0);
    // Reported at its next visit.
    if (unit.next !== undefined) count(unit.next, visits - 1);
  }

  /** Makes compiled code of a contract reachable in this instance. */
  #link(loaded: LoadedCode, unit: CompiledUnit): void {
    this.#linkedInstructions += unit.instructionCount;
    const { exports } = new WebAssembly.Instance(unit.module, { [ENGINE]: this.#exports });
    const table = this.#exports['table'] as WebAssembly.Table;
    const missing = this.#superblocks + unit.entries.length - table.length;
    if (missing > 0) table.grow(Math.max(missing, TABLE_GROWTH));
    for (const pc of unit.entries) {
      table.set(this.#superblocks, exports[superblockName(pc)]);
      this.view.setUint32(loaded.cells + 4 * pc, 2 * this.#superblocks++ + 1, true);
    }
  }

  #loadSlot(record: number): void {
    const owner = this.view.getUint32(record + slot.owner, true);
    const value = this.state.storage(
      this.readBytes(owner + account.address, 20),
      this.readBytes(record + slot.key, 32),
    );
    this.writeBytes(record + slot.original, value);
    this.writeBytes(record + slot.current, value);
  }

  #createAddress(
    kind: number,
    creator: number,
    initcode: number,
    size: number,
    salt: number,
  ): void {
    const sender = this.readBytes(creator + account.address, 20);
    const address =
      frameKinds[kind] === 'CREATE'
        ? createAddress(sender, this.nonce(creator))
        : create2Address(
            sender,
            this.readBytes(salt, 32),
            this.bytes.subarray(initcode, initcode + size),
          );
    this.writeBytes(SCRATCH, address);
  }

  #precompile(child: number): number {
    const { view, globals } = this;
    const record = view.getUint32(child + frame.called, true);
    const contract = precompileAt(this.fork, this.readBytes(record + account.address, 20));
    assert(contract, 'the address ranges and the table of precompiles agree');
    const gas = view.getBigUint64(child + frame.gasGiven, true);
    const at = view.getUint32(child + frame.input, true);
    const input = this.bytes.slice(at, at + view.getUint32(child + frame.inputSize, true));
    const price = contract.gas(input, this.fork);
    if (price > gas) return 0;
    const output = contract.run(input, this.fork);
    if (!output) return 0;
    if (output.length > RETURN_DATA_END - RETURN_DATA) throw new EngineFault('return-data');
    this.bytes.set(output, RETURN_DATA);
    globals.returnSize.value = output.length;
    globals.gas.value = gas - price;
    return 1;
  }

  #blockHash(word: number): void {
    const number = this.readWord(word);
    const current = this.readWord(contextAddress('number'));
    const isKnown = number < current && current - number <= 256n;
    this.writeBytes(word, isKnown ? this.state.blockHash(number) : new Uint8Array(32));
  }

  /** The block whose context is in the memory; it must not change. */
  block: BlockEnvironment | undefined;

  #traceEnter(child: number, kind: number): void {
    const { view } = this;
    const type = frameKinds[kind]!;
    const at = view.getUint32(child + frame.input, true);
    const isDelegating = type === 'DELEGATECALL' || type === 'CALLCODE';
    const from = isDelegating
      ? this.readBytes(view.getUint32(child + frame.self, true) + account.address, 20)
      : this.readBytes(child + frame.caller, 20);
    this.tracer?.enter?.({
      type,
      depth: view.getUint32(child + frame.depth, true),
      from,
      to: this.readBytes(view.getUint32(child + frame.called, true) + account.address, 20),
      value: this.readWord(child + frame.value),
      gas: view.getBigUint64(child + frame.gasGiven, true),
      input: this.bytes.subarray(at, at + view.getUint32(child + frame.inputSize, true)),
    });
  }

  #traceStep(pc: number, sp: number): void {
    if (!this.tracer?.step) return;
    const { view, globals } = this;
    const current = globals.frame.value;
    const depth = view.getUint32(current + frame.depth, true);
    const base = sp & -65536;
    const words = (sp - base) / 32;
    const memory = view.getUint32(current + frame.memoryBase, true);
    this.tracer.step({
      pc: pc - view.getUint32(current + frame.code, true),
      opcode: this.bytes[pc]!,
      gas: BigInt.asIntN(64, globals.gas.value),
      depth,
      stack: Array.from({ length: words }, (_, i) => this.readWord(base + 32 * i)),
      memory: this.bytes.subarray(
        memory,
        memory + view.getUint32(current + frame.memorySize, true),
      ),
      refund: globals.refund.value,
    });
  }
}

function isEmptyHash(hash: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (hash[i] !== KECCAK_EMPTY[i]) return false;
  return true;
}

import { createAddress, isDelegation } from './addresses.ts';
import { BLOB_GAS } from './blob-schedule.ts';
import { effectsOf } from './effects.ts';
import { gasAt } from './gas.ts';
import { type Ending, endings } from './halts.ts';
import { type Hardfork, isAtLeast } from './hardfork.ts';
import { EngineFault, EvmInstance } from './instance.ts';
import { CodeCache, type CacheLimits, type Tier, cacheLimits } from './compiler/code-cache.ts';
import { intrinsicGas } from './intrinsic.ts';
import {
  BLOB_HASHES,
  BLOB_HASHES_MAX,
  FRAMES,
  FRAME_MEMORY,
  FRAME_SIZE,
  INPUT,
  INPUT_END,
  JOURNAL,
  LOGS,
  RETURN_DATA,
  STACKS,
  account,
  accountFlag,
  context,
  contextAddress,
  frame,
  frameKinds,
  slot,
} from './layout.ts';
import { decodeLogs } from './logs.ts';
import { PAUSED } from './runtime/tiers.ts';
import { transactionError } from './validity.ts';
import type {
  Authorization,
  BlockEnvironment,
  Evm,
  ExecuteInput,
  Execution,
  Log,
  Outcome,
  TransactionMessage,
} from './world.ts';

export interface EvmOptions {
  readonly hardfork: Hardfork;
  /** Most memory that the frames of one execution may use together, in bytes. */
  readonly memoryBytesMax?: number;
  /** Makes the engine's hash tables unpredictable for guests; results do not depend on it. */
  readonly hashSeed?: bigint;
  /** How code is run; results do not depend on it. Default: `mixed`. */
  readonly tier?: Tier;
  readonly compilerLimits?: Partial<CacheLimits>;
}

const MEMORY_BYTES_MAX = 1024 * 1024 * 1024;

/**
 * An engine of one fork. An execution holds an instance, plain or with a tracer's hooks, from its start to its end;
 * there are as many instances as executions were ever live at once.
 */
export function createEvm(options: EvmOptions): Evm {
  const memoryBytesMax = options.memoryBytesMax ?? MEMORY_BYTES_MAX;
  const free: readonly [EvmInstance[], EvmInstance[]] = [[], []];
  const tier = options.tier ?? 'mixed';
  const limits = { ...cacheLimits, ...options.compilerLimits };
  const cache = tier === 'interpreter' ? undefined : new CodeCache(options.hardfork, tier, limits);
  return {
    hardfork: options.hardfork,
    execute: (input) => {
      const isTraced = input.tracer !== undefined;
      const pool = free[isTraced ? 1 : 0];
      const instance =
        pool.pop() ??
        new EvmInstance({
          fork: options.hardfork,
          isTraced,
          memoryBytesMax,
          hashSeed: options.hashSeed ?? 0n,
          cache: isTraced ? undefined : cache,
        });
      return new Transition(instance, input, () => pool.push(instance));
    },
  };
}

/**
 * One message from validity to effects: everything around the frames.
 * @see execution-specs, src/ethereum/forks/osaka/fork.py, process_transaction
 */
class Transition implements Execution {
  readonly #vm: EvmInstance;
  readonly #input: ExecuteInput;
  readonly #message: TransactionMessage;
  readonly #block: BlockEnvironment;
  readonly #fork: Hardfork;
  #outcome: Outcome | undefined;
  #isEntered = false;
  #gasPrice = 0n;
  #gasFloor = 0n;
  #sender = 0;
  #created: Uint8Array | undefined;

  readonly #release: () => void;

  constructor(vm: EvmInstance, input: ExecuteInput, release: () => void) {
    this.#vm = vm;
    this.#release = release;
    this.#input = input;
    this.#message = input.message;
    this.#block = input.block;
    this.#fork = vm.fork;
    this.#guard(() => this.#begin());
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get gasSpent(): number {
    if (this.#outcome) return this.#outcome.kind === 'executed' ? Number(this.#outcome.gasUsed) : 0;
    const { view, globals } = this.#vm;
    let left = 0n;
    for (let p = FRAMES; p <= globals.frame.value; p += FRAME_SIZE) {
      left += view.getBigUint64(p + frame.gas, true);
    }
    return Number(this.#message.gasLimit - left);
  }

  run(gas: number): boolean {
    if (this.#outcome) return true;
    this.#guard(() => {
      const { globals } = this.#vm;
      if (this.#isEntered) {
        if (this.#vm.run(BigInt(Math.max(1, Math.floor(gas)))) === PAUSED) return;
      }
      this.#finish(endings[globals.ending.value]!, globals.gas.value);
    });
    return this.#outcome !== undefined;
  }

  cancel(): void {
    if (this.#outcome) return;
    this.#outcome = { kind: 'fault', code: 'engine-limit', message: 'the execution was cancelled' };
    this.#release();
  }

  /** Turns a limit of the engine into an outcome. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof EngineFault)) throw error;
      const code = error.code === 'memory-limit' ? 'memory-limit' : 'engine-limit';
      this.#outcome = { kind: 'fault', code, message: error.message };
    }
    if (this.#outcome) this.#release();
  }

  // --- before

  #begin(): void {
    const vm = this.#vm;
    vm.begin(this.#input.state, this.#input.tracer);
    const message = this.#message;
    const { rules } = this.#input;
    const isTransaction = rules === 'transaction';
    this.#sender = vm.accountAt(message.sender);
    if (isTransaction) {
      const sender = this.#sender;
      const code = vm.code(sender);
      const error = transactionError(message, this.#block, this.#fork, {
        nonce: vm.nonce(sender),
        balance: vm.balance(sender),
        isContract: code.length > 0 && !(isAtLeast(this.#fork, 'prague') && isDelegation(code)),
      });
      if (error) {
        this.#outcome = { kind: 'rejected', error };
        return;
      }
    }
    this.#gasPrice = this.#effectiveGasPrice();
    this.#writeContext();

    let gas = message.gasLimit;
    let refund = 0n;
    if (rules !== 'system') {
      const intrinsic = intrinsicGas(message, this.#fork);
      this.#gasFloor = intrinsic.floor;
      if (gas < intrinsic.gas || gas < intrinsic.floor) {
        this.#outcome = { kind: 'rejected', error: 'intrinsic-gas-too-low' };
        return;
      }
      gas -= intrinsic.gas;
      this.#payUpFront(isTransaction);
      refund = this.#authorize(message.authorizationList);
      this.#warm();
    }
    vm.globals.journalTop.value = JOURNAL;
    vm.globals.refund.value = refund;
    if (message.data.length > INPUT_END - INPUT) throw new EngineFault('memory-limit');
    this.#enter(gas);
  }

  /** What the sender pays for a unit of gas. @see EIP-1559 */
  #effectiveGasPrice(): bigint {
    const { maxFeePerGas, maxPriorityFeePerGas } = this.#message;
    if (!isAtLeast(this.#fork, 'london')) return maxFeePerGas;
    if (this.#input.rules !== 'transaction' && maxFeePerGas === 0n) return 0n;
    const offered = this.#block.baseFee + maxPriorityFeePerGas;
    return offered < maxFeePerGas ? offered : maxFeePerGas;
  }

  #writeContext(): void {
    const vm = this.#vm;
    if (vm.block !== this.#block) {
      vm.block = this.#block;
      writeBlock(vm, this.#block);
    }
    vm.writeBytes(contextAddress('origin'), this.#message.sender);
    vm.writeWord(contextAddress('gasPrice'), this.#gasPrice);
    const hashes = this.#message.blobVersionedHashes.slice(0, BLOB_HASHES_MAX);
    vm.view.setBigUint64(contextAddress('blobCount'), BigInt(hashes.length), true);
    hashes.forEach((hash, i) => vm.writeBytes(BLOB_HASHES + 32 * i, hash));
    vm.writeBytes(BLOB_HASHES + 32 * hashes.length, NOTHING);
  }

  #payUpFront(isTransaction: boolean): void {
    const vm = this.#vm;
    const message = this.#message;
    const sender = this.#sender;
    vm.setNonce(sender, vm.nonce(sender) + 1n);
    // Who pays nothing may not have been there before.
    vm.setFlags(sender, accountFlag.touched | accountFlag.exists);
    if (!isTransaction) return;
    const blobGas = BLOB_GAS * BigInt(message.blobVersionedHashes.length);
    const price = message.gasLimit * this.#gasPrice + blobGas * this.#block.blobBaseFee;
    vm.setBalance(sender, vm.balance(sender) - price);
  }

  /** Applies set-code authorizations; yields the refund for accounts that existed. @see EIP-7702 */
  #authorize(list: readonly Authorization[]): bigint {
    const vm = this.#vm;
    let refund = 0n;
    for (const entry of list) {
      if (entry.chainId !== 0n && entry.chainId !== this.#block.chainId) continue;
      if (entry.nonce >= 2n ** 64n - 1n || !entry.authority) continue;
      const authority = vm.accountAt(entry.authority);
      vm.setFlags(authority, accountFlag.warm);
      const code = vm.code(authority);
      if (code.length > 0 && !isDelegation(code)) continue;
      if (vm.nonce(authority) !== entry.nonce) continue;
      if (vm.flags(authority) & accountFlag.exists && !vm.isEmpty(authority)) {
        const difference =
          gasAt('authorization', this.#fork) - gasAt('authorizationRefund', this.#fork);
        refund += BigInt(difference);
      }
      const isClearing = entry.address.every((byte) => byte === 0);
      vm.setCode(authority, isClearing ? new Uint8Array(0) : designator(entry.address));
      vm.setNonce(authority, entry.nonce + 1n);
      vm.setFlags(authority, accountFlag.exists | accountFlag.touched);
    }
    return refund;
  }

  /** Makes warm what EIP-2929, EIP-2930 and EIP-3651 say; precompiles always are. */
  #warm(): void {
    if (!isAtLeast(this.#fork, 'berlin')) return;
    const vm = this.#vm;
    vm.setFlags(this.#sender, accountFlag.warm);
    if (this.#message.to) vm.setFlags(vm.accountAt(this.#message.to), accountFlag.warm);
    if (isAtLeast(this.#fork, 'shanghai')) {
      vm.setFlags(vm.accountAt(this.#block.coinbase), accountFlag.warm);
    }
    for (const entry of this.#message.accessList) {
      const record = vm.accountAt(entry.address);
      vm.setFlags(record, accountFlag.warm);
      for (const key of entry.storageKeys) {
        vm.view.setUint32(vm.slotAt(record, key) + slot.isWarm, 1, true);
      }
    }
  }

  // --- the outermost frame

  #enter(gas: bigint): void {
    const vm = this.#vm;
    const { view, globals, functions } = vm;
    const message = this.#message;
    // A record above frame 0 stands for the world outside, so that frame 0 is opened as any other.
    const outside = FRAMES;
    const child = FRAMES + FRAME_SIZE;
    vm.bytes.fill(0, outside, child + FRAME_SIZE);
    view.setUint32(outside + frame.memoryBase, FRAME_MEMORY, true);
    view.setUint32(outside + frame.self, this.#sender, true);
    view.setUint32(outside + frame.sp, STACKS + 32, true);
    view.setInt32(outside + frame.depth, -1, true);
    globals.frame.value = outside;
    globals.logsTop.value = LOGS;
    vm.bytes.set(message.data, INPUT);
    const kind = message.to ? 'CALL' : 'CREATE';
    functions.openFrame(outside, frameKinds.indexOf(kind), gas);
    view.setUint32(child + frame.input, INPUT, true);
    view.setUint32(child + frame.inputSize, message.data.length, true);
    vm.writeBytes(child + frame.caller, message.sender);
    vm.writeWord(child + frame.value, message.value);
    if (message.to) this.#enterCall(child, message.to);
    else this.#enterCreate(child, gas);
  }

  #enterCall(child: number, to: Uint8Array): void {
    const vm = this.#vm;
    const { view, globals, functions } = vm;
    const target = vm.accountAt(to);
    let code = target;
    vm.code(target);
    if (isAtLeast(this.#fork, 'prague') && vm.flags(target) & accountFlag.delegated) {
      code = vm.accountAt(vm.code(target).slice(3));
      vm.setFlags(code, accountFlag.warm);
      vm.code(code);
    }
    view.setUint32(child + frame.self, target, true);
    view.setUint32(child + frame.called, target, true);
    for (const [from, into] of [
      [account.code, frame.code],
      [account.codeSize, frame.codeSize],
      [account.jumpdests, frame.jumpdests],
      [account.cells, frame.cells],
    ] as const) {
      view.setUint32(child + into, view.getUint32(code + from, true), true);
    }
    functions.startCall(child);
    this.#isEntered = globals.frame.value === child;
    if (!this.#isEntered) this.#readImmediateResult();
  }

  /** The call ended without a frame: a precompile, no code, or too little balance. */
  #readImmediateResult(): void {
    const { view, globals } = this.#vm;
    const isOk = view.getUint32(STACKS, true) === 1;
    globals.gas.value = view.getBigUint64(FRAMES + frame.gas, true);
    globals.ending.value = isOk ? 0 : endings.indexOf(this.#immediateFailure());
  }

  #immediateFailure(): Ending {
    const { globals } = this.#vm;
    return globals.gas.value === 0n ? 'precompile-failure' : 'insufficient-balance';
  }

  #enterCreate(child: number, gas: bigint): void {
    const vm = this.#vm;
    const { globals, functions } = vm;
    // The transaction has counted the nonce already.
    const address = createAddress(this.#message.sender, vm.nonce(this.#sender) - 1n);
    const target = vm.accountAt(address);
    if (isAtLeast(this.#fork, 'berlin')) vm.setFlags(target, accountFlag.warm);
    globals.journalTop.value = JOURNAL;
    vm.view.setUint32(child + frame.journalMark, JOURNAL, true);
    const isTaken =
      vm.nonce(target) !== 0n ||
      (vm.flags(target) & (accountFlag.hasCode | accountFlag.hasStorage)) !== 0;
    if (isTaken) {
      globals.ending.value = endings.indexOf('create-collision');
      globals.gas.value = 0n;
      return;
    }
    if (vm.balance(this.#sender) < this.#message.value) {
      globals.ending.value = endings.indexOf('insufficient-balance');
      globals.gas.value = gas;
      return;
    }
    this.#created = address;
    functions.startCreate(child, target);
    this.#isEntered = true;
  }

  // --- after

  #finish(ending: Ending, gasLeft: bigint): void {
    const vm = this.#vm;
    const message = this.#message;
    const isSystem = this.#input.rules === 'system';
    let gasUsed = message.gasLimit - gasLeft;
    const refundMax = gasUsed / BigInt(gasAt('refundQuotient', this.#fork));
    const counted = vm.globals.refund.value;
    const gasRefunded = isSystem ? 0n : counted < refundMax ? counted : refundMax;
    gasUsed -= gasRefunded;
    if (gasUsed < this.#gasFloor) gasUsed = this.#gasFloor;
    if (this.#input.rules === 'transaction') this.#settle(gasUsed);

    const isOk = ending === 'success';
    const createdAddress = isOk ? this.#created : undefined;
    const output = createdAddress
      ? vm.code(vm.accountAt(createdAddress)).slice()
      : vm.bytes.slice(RETURN_DATA, RETURN_DATA + vm.globals.returnSize.value);
    const logRecords = vm.takeLogs();
    let logs: Log[] | undefined;
    this.#outcome = {
      kind: 'executed',
      status: ending,
      gasUsed,
      gasRefunded,
      output: isOk || ending === 'revert' ? output : new Uint8Array(0),
      // Decoded when somebody asks: a call's logs mostly aren't.
      get logs() {
        return (logs ??= decodeLogs(logRecords));
      },
      createdAddress,
      effects: this.#input.rules === 'call' && !this.#input.keepsEffects ? [] : effectsOf(vm),
    };
  }

  /** Gives back what was not used and pays the block's beneficiary. */
  #settle(gasUsed: bigint): void {
    const vm = this.#vm;
    const back = (this.#message.gasLimit - gasUsed) * this.#gasPrice;
    vm.setBalance(this.#sender, vm.balance(this.#sender) + back);
    const tip = this.#gasPrice - (isAtLeast(this.#fork, 'london') ? this.#block.baseFee : 0n);
    const coinbase = vm.accountAt(this.#block.coinbase);
    vm.setBalance(coinbase, vm.balance(coinbase) + tip * gasUsed);
    const isPaid = tip * gasUsed > 0n || !isAtLeast(this.#fork, 'spuriousDragon');
    vm.setFlags(coinbase, accountFlag.touched | (isPaid ? accountFlag.exists : 0));
  }
}

const NOTHING = new Uint8Array(0);

/** Writes what is the same for all transactions of a block. */
function writeBlock(vm: EvmInstance, block: BlockEnvironment): void {
  const write = (name: keyof typeof context, value: bigint): void =>
    vm.writeWord(contextAddress(name), value);
  vm.writeBytes(contextAddress('coinbase'), block.coinbase);
  vm.writeBytes(contextAddress('prevRandao'), block.prevRandao);
  write('timestamp', block.timestamp);
  write('number', block.number);
  write('gasLimit', block.gasLimit);
  write('chainId', block.chainId);
  write('baseFee', block.baseFee);
  write('blobBaseFee', block.blobBaseFee);
  write('hashSeed', vm.hashSeed);
}

/** Code that points at another account's. @see EIP-7702 */
function designator(address: Uint8Array): Uint8Array {
  const code = new Uint8Array(23);
  code.set([0xef, 0x01, 0x00]);
  code.set(address, 3);
  return code;
}

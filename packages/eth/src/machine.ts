import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';
import type { BlockEnvironment, Evm, Tracer } from '@polyvisor/evm/world';
import type { Machine, MachineUsage, RunResult } from '@polyvisor/machine/machine';
import { type AccessListResult, createAccessList } from './access-list.ts';
import { admit } from './admission.ts';
import { BlockAssembly, type BlockPlan, environmentOf } from './assembly.ts';
import type { Block } from './block.ts';
import {
  type CallOverrides,
  type CallRequest,
  applyOverrides,
  messageOfCall,
  typeOf,
} from './call-request.ts';
import { type CallContext, type Executed, call, estimateGas } from './calls.ts';
import { EthError } from './errors.ts';
import { planOfHeader } from './import-block.ts';
import { type MinedBlock, assemble, planNextBlock } from './mining.ts';
import { Overlay } from './overlay.ts';
import { type SimulatedBlock, type Simulation, simulate } from './simulate.ts';
import type { Slice, Steps } from '@polyvisor/machine/steps';
import {
  type BlockId,
  type EthState,
  append,
  blockHashes,
  transactionOf,
  worldAt,
} from './state.ts';
import { Task, TaskQueue } from '@polyvisor/machine/tasks';
import {
  type Transaction,
  type UnsignedTransaction,
  decodeTransaction,
  unsignedTransaction,
} from './transaction.ts';
import type { World } from './world.ts';

export interface EthMachineOptions {
  /** Blocks whose state can still be asked for. */
  readonly historyBlocks: number;
  /** Transactions that wait at most; more are refused. */
  readonly poolSizeMax: number;
  /** Most gas that a call which is not a transaction gets. */
  readonly callGasMax: bigint;
}

export const defaultEthMachineOptions: EthMachineOptions = {
  historyBlocks: 2048,
  poolSizeMax: 10_000,
  callGasMax: 50_000_000n,
};

/** What a listener hears of. */
export type EthEvent =
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'transaction'; readonly tx: Transaction }
  /** The chain is another one now: a snapshot came back. */
  | { readonly kind: 'restored' };

/** A transaction that waits, and the mining that will take it, if that is under way. */
export interface Submission {
  readonly hash: Uint8Array;
  readonly mining: Task<unknown> | undefined;
}

/** What a client suggests that a transaction pays its block's beneficiary, in wei a unit of gas. */
export const SUGGESTED_TIP = 1_000_000_000n;

/** Work of an empty block, in gas: system calls, roots, hashes. */
const BLOCK_OVERHEAD = 50_000;

/**
 * An Ethereum node as a machine: a chain, a pool, and what executes on them. It has one thread of work: a queue of
 * tasks, each of which sees the state at the moment it starts. Everything it is lies in `state`.
 */
export class EthMachine implements Machine {
  readonly kind = 'evm';
  readonly options: EthMachineOptions;
  readonly #evm: Evm;
  readonly #tasks = new TaskQueue();
  readonly #listeners = new Set<(event: EthEvent) => void>();
  #state: EthState;
  #work = 0n;
  #nowMs = 0;
  #intervalStartMs: number | undefined;
  #mining: Task<unknown> | undefined;
  #pending: { readonly of: EthState; readonly block: MinedBlock } | undefined;
  /** Called when there is work; the host then calls `run`. */
  onWork: () => void = () => {};

  /** @param evm may be one that machines share: it holds nothing of theirs between executions */
  constructor(state: EthState, evm: Evm, options: EthMachineOptions = defaultEthMachineOptions) {
    this.#state = state;
    this.options = options;
    this.#evm = evm;
    // The state may be that of a chain that was about to mine: one that was stopped, or a fork's origin.
    if (this.#isInstant && this.#hasReadyTransaction()) this.#scheduleMining();
  }

  get state(): EthState {
    return this.#state;
  }

  get hardfork(): Hardfork {
    return this.#evm.hardfork;
  }

  // --- the machine contract

  run(budget: number): RunResult {
    const used = this.#tasks.run(budget);
    this.#work += BigInt(Math.round(used));
    return { reason: this.#tasks.isEmpty ? 'idle' : 'budget', used };
  }

  usage(): MachineUsage {
    const { world, blockBytes, pool } = this.#state;
    const { slotCount, codeBytes, accounts } = world;
    const poolBytes = pool.size * POOLED_BYTES;
    return {
      work: this.#work,
      memoryBytes:
        slotCount * SLOT_MEMORY +
        accounts.size * ACCOUNT_MEMORY +
        codeBytes +
        blockBytes +
        poolBytes,
      storageBytes:
        slotCount * SLOT_BYTES + accounts.size * ACCOUNT_BYTES + codeBytes + blockBytes + poolBytes,
    };
  }

  /** Tells the time, in milliseconds since 1970. In interval mode a block may become due by that. */
  setNow(unixMs: number): void {
    this.#nowMs = unixMs;
    const { mining } = this.#state.settings;
    if (mining.mode !== 'interval') {
      this.#intervalStartMs = undefined;
      return;
    }
    this.#intervalStartMs ??= unixMs;
    if (unixMs < this.#intervalStartMs + 1000 * mining.seconds || this.#mining) return;
    this.#intervalStartMs = unixMs;
    this.#scheduleMining();
  }

  /** When it wants to be told the time again, in milliseconds since 1970. */
  get wakesAtMs(): number | undefined {
    const { mining } = this.#state.settings;
    if (mining.mode !== 'interval') return undefined;
    return (this.#intervalStartMs ?? this.#nowMs) + 1000 * mining.seconds;
  }

  /** A machine that goes on from here by itself. */
  fork(): EthMachine {
    const fork = new EthMachine(this.#state, this.#evm, this.options);
    fork.#nowMs = this.#nowMs;
    return fork;
  }

  /** Ends what is under way and goes on from another state. */
  restore(state: EthState): void {
    if (!this.#tasks.isEmpty) this.#tasks.cancelAll(new EthError('the chain was set back'));
    this.#mining = undefined;
    this.#state = state;
    this.#emit({ kind: 'restored' });
  }

  /** Ends what is under way with an error. */
  stop(reason: string): void {
    this.#tasks.cancelAll(new EthError(reason));
    this.#mining = undefined;
  }

  /** @returns what ends the listening */
  on(listener: (event: EthEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // --- changes

  /** Changes the state between other tasks; at once when there are none. */
  change(step: (state: EthState) => EthState): Task<void> {
    return this.#enqueue(
      // oxlint-disable-next-line require-yield -- it is one step
      function* (this: EthMachine): Steps<void> {
        this.#state = step(this.#state);
        // Interval mining counts from the moment it was asked for.
        this.#intervalStartMs = undefined;
        this.setNow(this.#nowMs);
      }.bind(this),
    );
  }

  /** Takes a signed transaction. @throws EthError when it is not acceptable */
  submit(raw: Uint8Array): Submission {
    return this.#admit(decodeTransaction(raw));
  }

  /** Takes a transaction that this program signed itself: nobody needs to find out who did. */
  submitSigned(tx: Transaction): Submission {
    return this.#admit(tx);
  }

  /** Takes a transaction without a signature. The caller has made sure that it may. */
  submitUnsigned(tx: UnsignedTransaction, sender: Uint8Array): Submission {
    return this.#admit(unsignedTransaction(tx, sender));
  }

  mayImpersonate(sender: Uint8Array): boolean {
    const { impersonatesAll, impersonated } = this.#state.settings;
    return impersonatesAll || impersonated.has(bytesToLatin1(sender));
  }

  /** Mines blocks, with what waits in the first. `interval`: seconds between their timestamps. */
  mine(count = 1, interval?: number): Task<Block> {
    return this.#enqueue((slice) => this.#mineBlocks(count, interval, slice));
  }

  /** The next nonce of a sender, its waiting transactions counted. */
  pendingNonce(sender: Uint8Array): bigint {
    const { world, pool } = this.#state;
    return pool.nextNonce(sender, world.account(sender)?.nonce ?? 0n);
  }

  /** The fields that a request to send leaves out: nonce, fees, gas. */
  fill(request: CallRequest): Task<UnsignedTransaction> {
    return this.#enqueue((slice) => this.#fill(request, slice));
  }

  // --- executions that leave nothing behind

  call(
    request: CallRequest,
    id: BlockId,
    overrides: CallOverrides = {},
    tracer?: Tracer,
  ): Task<Executed> {
    return this.#enqueue(
      function* (this: EthMachine, slice: Slice): Steps<Executed> {
        const context = yield* this.#contextAt(id, overrides, slice);
        return yield* call(context, this.#message(request), slice, tracer);
      }.bind(this),
    );
  }

  estimateGas(request: CallRequest, id: BlockId, overrides: CallOverrides = {}): Task<bigint> {
    return this.#enqueue(
      function* (this: EthMachine, slice: Slice): Steps<bigint> {
        const context = yield* this.#contextAt(id, overrides, slice);
        return yield* estimateGas(context, this.#message(request), slice);
      }.bind(this),
    );
  }

  createAccessList(request: CallRequest, id: BlockId): Task<AccessListResult> {
    return this.#enqueue(
      function* (this: EthMachine, slice: Slice): Steps<AccessListResult> {
        const context = yield* this.#contextAt(id, {}, slice);
        return yield* createAccessList(context, this.#message(request), slice);
      }.bind(this),
    );
  }

  /** Blocks as they would be behind one of the chain. */
  simulate(simulation: Simulation, id: BlockId): Task<SimulatedBlock[]> {
    return this.#enqueue((slice) => {
      const context = { evm: this.#evm, state: this.#state, gasMax: this.options.callGasMax };
      return simulate(context, simulation, id, slice);
    });
  }

  /** The block that would be mined now. */
  pendingBlock(): Task<MinedBlock> {
    return this.#enqueue((slice) => this.#assemblePending(slice));
  }

  /** Executes a mined transaction again with a tracer watching. */
  trace(hash: Uint8Array, tracer: Tracer): Task<Executed> {
    return this.#enqueue((slice) => this.#trace(hash, tracer, slice));
  }

  /** The world inside a block, behind its first `count` transactions. */
  worldBehind(id: BlockId, count: number): Task<World> {
    return this.#enqueue(
      function* (this: EthMachine, slice: Slice): Steps<World> {
        const { block, world } = worldAt(this.#state, id);
        if (count >= block.transactions.length || block.header.number === 0n) return world;
        return (yield* this.#replay(block, count, slice)).world();
      }.bind(this),
    );
  }

  // --- inside

  #enqueue<T>(start: (slice: Slice) => Steps<T>): Task<T> {
    const task = this.#tasks.add(new Task(start));
    this.onWork();
    return task;
  }

  #emit(event: EthEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #admit(tx: Transaction): Submission {
    const environment = environmentOf(this.#plan(), this.#evm);
    const { poolSizeMax } = this.options;
    this.#state = admit(this.#state, tx, environment, this.hardfork, poolSizeMax);
    this.#emit({ kind: 'transaction', tx });
    const isNext = this.pendingNonce(tx.sender) > tx.nonce;
    if (this.#isInstant && isNext) this.#scheduleMining();
    return { hash: tx.hash, mining: this.#isInstant && isNext ? this.#mining : undefined };
  }

  get #isInstant(): boolean {
    return this.#state.settings.mining.mode === 'instant';
  }

  /** One mining task waits at a time: it will find all that waits in the pool. */
  #scheduleMining(): void {
    this.#mining ??= this.#enqueue((slice) => {
      this.#mining = undefined;
      return this.#mineBlocks(1, undefined, slice);
    });
  }

  *#mineBlocks(count: number, interval: number | undefined, slice: Slice): Steps<Block> {
    let isProgress = false;
    for (let i = 0; i < count; i++) {
      const { head, settings } = this.#state;
      const plan = this.#plan();
      const isSpaced = i > 0 && interval !== undefined;
      const timestamp = isSpaced ? head.header.timestamp + BigInt(interval) : plan.timestamp;
      const mined = yield* assemble(this.#evm, this.#state, { ...plan, timestamp }, slice);
      // What was submitted meanwhile stays in the pool: only the pool changes outside of tasks.
      this.#state = append(this.#state, mined, this.options.historyBlocks);
      this.#dropFromPool(mined.dropped);
      if (isSpaced || settings.nextTimestamp !== undefined) this.#setClockByHead();
      isProgress = mined.block.transactions.length + mined.dropped.length > 0;
      slice.left -= BLOCK_OVERHEAD;
      this.#emit({ kind: 'block', block: mined.block });
      while (slice.left <= 0) yield;
    }
    // A block that took nothing from the pool would be followed by others like it.
    if (this.#isInstant && isProgress && this.#hasReadyTransaction()) this.#scheduleMining();
    return this.#state.head;
  }

  #hasReadyTransaction(): boolean {
    const { pool, world } = this.#state;
    if (pool.size === 0) return false;
    const { baseFee, blobBaseFee } = environmentOf(this.#plan(), this.#evm);
    for (const [first] of pool.senders()) {
      const { tx } = first!;
      if (tx.nonce !== (world.account(tx.sender)?.nonce ?? 0n)) continue;
      const paysForBlobs = tx.type !== 3 || tx.maxFeePerBlobGas >= blobBaseFee;
      if (tx.maxFeePerGas >= baseFee && paysForBlobs) return true;
    }
    return false;
  }

  #dropFromPool(transactions: readonly Transaction[]): void {
    const pool = this.#state.pool.without(transactions.map((tx) => tx.hash));
    this.#state = { ...this.#state, pool };
  }

  /** After a block with a set timestamp the chain's clock goes on from it. */
  #setClockByHead(): void {
    const { settings, head } = this.#state;
    const clockOffset = Number(head.header.timestamp) - this.#nowSeconds;
    this.#state = { ...this.#state, settings: { ...settings, clockOffset } };
  }

  get #nowSeconds(): number {
    return Math.floor(this.#nowMs / 1000);
  }

  #plan(): BlockPlan {
    return planNextBlock(this.#state, this.hardfork, this.#nowSeconds);
  }

  #message(request: CallRequest): ReturnType<typeof messageOfCall> {
    return messageOfCall(request, this.options.callGasMax);
  }

  *#contextAt(id: BlockId, overrides: CallOverrides, slice: Slice): Steps<CallContext> {
    const base = id === 'pending' ? yield* this.#pendingContext(slice) : this.#contextBehind(id);
    applyOverrides(base.state, overrides.state ?? []);
    return { evm: this.#evm, state: base.state, block: { ...base.block, ...overrides.block } };
  }

  *#pendingContext(slice: Slice): Steps<{ block: BlockEnvironment; state: Overlay }> {
    const { world } = this.#state.pool.size > 0 ? yield* this.#assemblePending(slice) : this.#state;
    return {
      block: environmentOf(this.#plan(), this.#evm),
      state: new Overlay(world, blockHashes(this.#state)),
    };
  }

  #contextBehind(id: BlockId): { block: BlockEnvironment; state: Overlay } {
    const { block, world } = worldAt(this.#state, id);
    return {
      block: this.#environmentIn(block),
      state: new Overlay(world, blockHashes(this.#state)),
    };
  }

  /** A mined block as code in it sees it. */
  #environmentIn({ header }: Block): BlockEnvironment {
    return environmentOf(this.#planOf(header), this.#evm);
  }

  #planOf(header: Block['header']): BlockPlan {
    return planOfHeader(header, this.#state.settings.chainId);
  }

  *#assemblePending(slice: Slice): Steps<MinedBlock> {
    const of = this.#state;
    if (this.#pending?.of === of) return this.#pending.block;
    const block = yield* assemble(this.#evm, of, this.#plan(), slice);
    this.#pending = { of, block };
    return block;
  }

  *#trace(hash: Uint8Array, tracer: Tracer, slice: Slice): Steps<Executed> {
    const mined = transactionOf(this.#state, hash);
    if (!mined) throw new EthError('transaction not found');
    const assembly = yield* this.#replay(mined.block, mined.index, slice);
    return yield* assembly.trace(mined.tx, tracer);
  }

  /** A block made again, up to its first `count` transactions. */
  *#replay(block: Block, count: number, slice: Slice): Steps<BlockAssembly> {
    const state = this.#state;
    const { world } = worldAt(state, block.header.number - 1n);
    const plan = this.#planOf(block.header);
    const assembly = new BlockAssembly(this.#evm, world, plan, blockHashes(state), slice);
    yield* assembly.start();
    for (const earlier of block.transactions.slice(0, count)) yield* assembly.add(earlier);
    return assembly;
  }

  *#fill(asked: CallRequest, slice: Slice): Steps<UnsignedTransaction> {
    const hasPrice = isAtLeast(this.hardfork, 'london') || asked.gasPrice !== undefined;
    const request = hasPrice ? asked : { ...asked, gasPrice: SUGGESTED_TIP };
    const sender = request.from ?? new Uint8Array(20);
    const type = typeOf(request);
    const baseFee = this.#plan().baseFee;
    const tip = request.gasPrice ?? request.maxPriorityFeePerGas ?? SUGGESTED_TIP;
    const cap = request.gasPrice ?? request.maxFeePerGas ?? 2n * baseFee + tip;
    const maxPriorityFeePerGas = tip < cap ? tip : cap;
    const fees = { maxFeePerGas: cap, maxPriorityFeePerGas };
    const blobFee = environmentOf(this.#plan(), this.#evm).blobBaseFee;
    let gasLimit = request.gas;
    if (gasLimit === undefined) {
      const context = yield* this.#contextAt('pending', {}, slice);
      const { gasPrice: _, ...others } = request;
      gasLimit = yield* estimateGas(context, this.#message({ ...others, ...fees }), slice);
    }
    return {
      type,
      chainId: this.#state.settings.chainId,
      nonce: request.nonce ?? this.pendingNonce(sender),
      ...fees,
      gasLimit,
      to: request.to,
      value: request.value ?? 0n,
      data: request.data ?? new Uint8Array(0),
      accessList: request.accessList ?? [],
      maxFeePerBlobGas: request.maxFeePerBlobGas ?? (type === 3 ? 2n * blobFee : 0n),
      blobVersionedHashes: request.blobVersionedHashes ?? [],
      authorizationList: request.authorizationList ?? [],
    };
  }
}

// Bytes that parts of the state take in memory and in the durable form, about.
const SLOT_MEMORY = 640;
const ACCOUNT_MEMORY = 1024;
const SLOT_BYTES = 110;
const ACCOUNT_BYTES = 120;
const POOLED_BYTES = 512;

import { assert } from '@polyvisor/errors/assert';
import { Assembler, type Expression, type Local } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction, PlainInstruction } from '@polyvisor/wasm/instructions';
import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, type ValueType } from '@polyvisor/wasm/types';
import { STATUS_IN_CODE, codePlace, csrPlace } from '../csr-numbers.ts';
import { dynamicRounding } from '../float/float-state.ts';
import { DYNAMIC } from '../float/soft-float.ts';
import { type HighProduct, defineHighProduct } from '../high-product.ts';
import * as at from '../layout.ts';
import { RAM, REGION_PARAMS, REGION_RESULTS, importShared } from '../linking.ts';
import { ScratchLocals } from '../scratch-locals.ts';
import { shownStatus, writeStatus } from '../status-code.ts';
import { defineTlbSearch, isTlbMiss, ramOffset, tlbEntry } from '../tlb-code.ts';
import { type FlowNode, LEAVES, ROOT, flowGraph } from './flow-graph.ts';
import { type FlowOrder, flowOrder } from './flow-order.ts';
import { NO_PAGE, type Pins, pinnedBases } from './pins.ts';
import {
  type Block,
  PAGE_BYTES,
  type PlacedInstruction,
  type Region,
  jumpsOf,
  writesRegister,
} from './region.ts';
import { type RegisterEmitter, Words } from './words.ts';

/** Where a region is found. */
export interface RegionPlace {
  /** Its number in the table. */
  readonly index: number;
  /** Place of its page's landings. */
  readonly landings: number;
}

/**
 * A module with one function, `region(entry, address, steps left) -> steps left`. Registers live in locals. A block's
 * steps are taken when it begins; whoever leaves in its middle gives the rest back, so counts are exact. On each way
 * around a loop it is made sure that the steps are enough for the rest of the way.
 * The function never traps: what it can't do it leaves, with nothing done of it, to the interpreter.
 *
 *     block exit
 *       block interruption
 *         the control flow as loops and blocks, the root's br_table to the entry `next` first
 *       where the interpreter goes on
 *     registers back to memory, and on to what is compiled for the next address, or back to the interpreter
 */
export function writeRegion(region: Region, self: RegionPlace): Uint8Array<ArrayBuffer> {
  const m = new ModuleWriter();
  const fill = m.importFunction('hart', 'fill', [I32, I32, I32, I32], [I32]);
  importShared(m);
  const search = defineTlbSearch(m, fill);
  const f = m.function(REGION_PARAMS, REGION_RESULTS, 'region');
  new RegionWriter(new Assembler(f), region, self, search, () => defineHighProduct(m)).emitRegion();
  m.exportFunction('region', f.index);
  return m.finish();
}

class RegionWriter implements RegisterEmitter {
  readonly a: Assembler;
  readonly #blocks: readonly Block[];
  readonly #nodes: readonly FlowNode[];
  readonly #order: FlowOrder;
  readonly #self: RegionPlace;
  /** Function that finds or fills the TLB's entry for an access. */
  readonly #search: number;
  readonly #defineHighProduct: () => HighProduct;
  #highProduct: HighProduct | undefined;
  readonly #next: Local;
  /** Where control came in, and that page's address. */
  readonly #start: Local;
  readonly #page: Local;
  readonly #left: Local;
  readonly #exitPc: Local;
  readonly #isInterpreted: Local;
  /** Of an interruption: the offset, and above it the steps that are given back. */
  readonly #undone: Local;
  readonly #address: Local;
  readonly #entry: Local;
  readonly #dataTlb: Local;
  readonly #loaded: Local;
  readonly #place: Local;
  /** Whether the present block's guarded instructions are passed over. */
  readonly #isPassed: Local;
  /** By place in the engine's memory. */
  readonly #registers = new Map<number, Local>();
  readonly #written = new Set<number>();
  readonly #scratch: ScratchLocals;
  readonly #pins: Pins;
  #exit = 0;
  #interruption = 0;
  /** Depths of the nodes' labels: at the beginning of loops, and in front of merges. */
  readonly #loops: number[] = [];
  readonly #labels: number[] = [];
  #node = ROOT;
  #done = 0;
  #instruction!: PlacedInstruction;
  #csr = 0;

  constructor(
    a: Assembler,
    { blocks, entries }: Region,
    self: RegionPlace,
    search: number,
    highProduct: () => HighProduct,
  ) {
    this.a = a;
    this.#scratch = new ScratchLocals(a);
    this.#blocks = blocks;
    this.#nodes = flowGraph(blocks, entries);
    this.#order = flowOrder(this.#nodes);
    this.#self = self;
    this.#search = search;
    this.#defineHighProduct = highProduct;
    this.#next = a.param(0);
    this.#start = a.param(1);
    this.#left = a.param(2);
    this.#page = a.localI64();
    this.#exitPc = a.localI64();
    this.#isInterpreted = a.localI32();
    this.#undone = a.localI32();
    this.#address = a.localI64();
    this.#entry = a.localI32();
    this.#dataTlb = a.localI32();
    this.#loaded = a.localI64();
    this.#place = a.localI32();
    this.#isPassed = a.localI32();
    this.#pins = pinnedBases(this.#nodes, a);
  }

  emitRegion(): void {
    const { a } = this;
    const { f } = a;
    a.rarely(this.op('i32.lt_s', this.#left, this.#order.steps[ROOT]!), () => {
      this.#end(this.#start, at.OUT_OF_STEPS);
      a.return(this.#left);
    });
    a.set(this.#page, this.op('i64.and', this.#start, ~0xfffn));
    this.#loadRegisters();
    a.set(this.#dataTlb, a.load('i32.load', 0, at.DATA_TLB));
    const tags = new Set(this.#pins.flatMap((pins) => [...pins.values()]).map(({ tag }) => tag));
    for (const tag of tags) a.set(tag, NO_PAGE);
    this.#exit = f.block().depth;
    this.#interruption = f.block().depth;
    this.#emitTree(ROOT);
    f.end();
    this.#interrupted();
    f.end();
    for (const place of this.#written) a.store('i64.store', 0, this.#register(place), place);
    a.when(this.op('i32.eqz', this.#isInterpreted), () => this.#chain());
    this.#end(this.#exitPc, this.#isInterpreted);
    a.put(this.#left);
  }

  integer(register: number): Expression {
    return register === 0 ? 0n : this.#register(at.X + 8 * register);
  }

  get rs1(): Expression {
    return this.#operand('rs1');
  }

  get rs2(): Expression {
    return this.#operand('rs2');
  }

  get rs3(): Expression {
    return this.#operand('rs3');
  }

  get imm(): Expression {
    return BigInt(this.#instruction.imm);
  }

  get csrOperand(): Expression {
    return BigInt(this.#instruction.rm);
  }

  /** Functions that few regions need: they are defined when the first is asked for. */
  get highProduct(): HighProduct {
    return (this.#highProduct ??= this.#defineHighProduct());
  }

  get pc(): Expression {
    return this.#addressOf(this.#instruction.offset);
  }

  get nextPc(): Expression {
    return this.#addressOf(this.#instruction.offset + this.#instruction.length);
  }

  op(name: PlainInstruction, ...operands: Expression[]): Expression {
    return this.a.op(name, ...operands);
  }

  inLocal(value: Expression, type?: ValueType): Local {
    return this.#scratch.hold(value, type);
  }

  write(value: Expression): void {
    const { rd, row } = this.#instruction;
    if (rd === 0 && !row.floats?.has('rd')) {
      this.a.put(value).f.drop();
      return;
    }
    const register = this.#register(placeOf(this.#instruction, 'rd'));
    const { isGuarded } = this.#instruction;
    this.a.set(register, isGuarded ? this.a.select(this.#isPassed, register, value) : value);
  }

  branch(condition: Expression): void {
    const { passes } = this.#instruction;
    if (passes !== undefined) {
      this.a.set(this.#isPassed, condition);
      const given = passes === 1 ? this.#isPassed : this.op('i32.mul', this.#isPassed, passes);
      this.a.set(this.#left, this.op('i32.add', this.#left, given));
      return;
    }
    const node = this.#node;
    this.a.when(condition, () => this.#go(node, 0));
    this.#go(node, 1);
  }

  jumpRelative(): void {
    this.#go(this.#node, 0);
  }

  /** Stays in the region where it has the target as one of its entries. */
  jump(target: Expression): void {
    const address = this.inLocal(target);
    if (this.#nodes[this.#node]!.successors[0] === ROOT) this.#jumpInside(address);
    this.#leave(address);
  }

  load(instruction: MemoryInstruction, size: number, address: Expression): Expression {
    const { a } = this;
    const offset = this.#access(at.READ_TLB, size, address);
    a.set(this.#loaded, a.load(instruction, offset, 0, RAM));
    return this.#loaded;
  }

  store(
    instruction: MemoryInstruction,
    size: number,
    address: Expression,
    value: Expression,
  ): void {
    this.a.store(instruction, this.#access(at.WRITE_TLB, size, address), value, 0, RAM);
  }

  atomicPlace(size: number, isWritten: boolean, address: Expression): Local {
    const { a } = this;
    a.set(this.#address, address);
    const low = this.op('i64.and', this.#address, BigInt(size - 1));
    a.rarely(this.op('i64.ne', low, 0n), () => this.evaluate());
    const kind = isWritten ? at.WRITE_TLB : at.READ_TLB;
    a.set(this.#place, this.#lookUp(kind, size));
    return this.#place;
  }

  knownPlace(address: Expression): Local {
    const { a } = this;
    a.set(this.#address, address);
    a.set(this.#place, this.#lookUp(at.WRITE_TLB, 1));
    return this.#place;
  }

  isRounding(mode: number): Expression {
    const { rm } = this.#instruction;
    if (rm !== DYNAMIC) return rm === mode ? 1 : 0;
    return this.op('i32.eq', dynamicRounding(this.a), mode);
  }

  readCsr(): Local {
    const { a } = this;
    this.#csr = codePlace(this.#instruction.imm);
    const isUser = this.op('i32.eqz', a.load('i32.load', 0, at.PRIVILEGE));
    a.rarely(isUser, () => this.evaluate());
    const isStatus = this.#csr === STATUS_IN_CODE;
    a.set(this.#loaded, isStatus ? shownStatus(this) : a.load('i64.load', 0, this.#csr));
    return this.#loaded;
  }

  writeCsr(value: Expression): void {
    const next = this.inLocal(value);
    if (this.#csr === STATUS_IN_CODE) {
      writeStatus(this, this.#loaded, next);
      return;
    }
    const isAddress = this.#csr === csrPlace('sepc');
    this.a.store('i64.store', 0, isAddress ? this.op('i64.and', next, -2n) : next, this.#csr);
  }

  evaluate(): void {
    const steps = this.#nodes[this.#node]!.block!.instructions.length;
    this.#interrupt(this.#instruction.offset, steps - this.#done);
  }

  /** A node and all that it dominates. */
  #emitTree(node: number): void {
    const { f } = this.a;
    const merges = this.#order.merges[node]!;
    if (!this.#order.isLoop[node]) {
      this.#emitWithin(node, merges);
      return;
    }
    this.#loops[node] = f.loop().depth;
    this.#emitWithin(node, merges);
    f.end().op('unreachable');
  }

  /** A node, and behind it those of its merges that are left. */
  #emitWithin(node: number, merges: readonly number[]): void {
    const { f } = this.a;
    const last = merges.at(-1);
    if (last === undefined) {
      this.#emitNode(node);
      return;
    }
    this.#labels[last] = f.block().depth;
    this.#emitWithin(node, merges.slice(0, -1));
    f.end();
    this.#emitTree(last);
  }

  #emitNode(node: number): void {
    const { block, successors } = this.#nodes[node]!;
    if (block) this.#emitBlock(node, block);
    else if (successors.length === 1) this.#go(node, 0);
    else this.#dispatch(node, successors);
  }

  #dispatch(node: number, successors: readonly number[]): void {
    const { a } = this;
    const { f } = a;
    a.put(this.#next);
    const labels = successors.map((to) => f.depth - this.#labelOf(node, to)!);
    f.brTable(labels.slice(0, -1), labels.at(-1)!);
  }

  #emitBlock(node: number, { offset, instructions }: Block): void {
    const { a } = this;
    this.#node = node;
    this.#done = 0;
    if (this.#order.isChecked[node]) {
      a.rarely(this.op('i32.lt_s', this.#left, this.#order.steps[node]!), () =>
        this.#interrupt(offset, 0),
      );
    }
    a.set(this.#left, this.op('i32.sub', this.#left, instructions.length));
    const words = new Words();
    for (const instruction of instructions) {
      this.#begin(instruction);
      const { emit } = instruction.row;
      assert(emit, 'blocks hold what there is code for');
      if (!words.emit(this, instruction)) emit(this);
      words.learn(instruction, !instruction.isGuarded);
      this.#done++;
    }
    const last = instructions.at(-1)!.row;
    if (!last.isJump || last.since === 'Zicsr') this.#go(node, 0);
  }

  #begin(instruction: PlacedInstruction): void {
    this.#instruction = instruction;
    this.#scratch.release();
  }

  #operand(name: 'rs1' | 'rs2' | 'rs3'): Expression {
    const place = placeOf(this.#instruction, name);
    return place === at.X ? 0n : this.#register(place);
  }

  /** Goes on at one of a node's successors. */
  #go(node: number, slot: number): void {
    const { block, successors, choices } = this.#nodes[node]!;
    const to = successors[slot]!;
    if (to === LEAVES) {
      this.#leave(this.#addressOf(jumpsOf(block!).targets[slot]!));
      return;
    }
    const choice = choices[slot];
    if (choice !== undefined) this.a.set(this.#next, choice);
    const label = this.#labelOf(node, to);
    if (label === undefined) this.#emitTree(to);
    else this.#branch(label);
  }

  /** Depth of the label that leads from a node to another; undefined where that is written in place. */
  #labelOf(node: number, to: number): number | undefined {
    const { places, isMerge } = this.#order;
    if (places[to]! <= places[node]!) return this.#loops[to]!;
    return isMerge[to] ? this.#labels[to]! : undefined;
  }

  #jumpInside(address: Local): void {
    const { a } = this;
    const root = this.#loops[ROOT]!;
    const isInPage = this.op('i64.eq', this.op('i64.and', address, ~0xfffn), this.#page);
    a.when(isInPage, () => {
      const half = this.op('i32.and', this.op('i32.wrap_i64', address), 0xffe);
      const landing = a.load('i32.load', this.op('i32.shl', half, 1), this.#self.landings);
      a.set(this.#entry, this.op('i32.xor', landing, -1));
      const number = this.op('i32.shr_s', this.#entry, at.ENTRY_BITS);
      const isEnough = this.op('i32.ge_s', this.#left, this.#order.steps[ROOT]!);
      a.when(this.op('i32.and', this.op('i32.eq', number, this.#self.index), isEnough), () => {
        a.set(this.#next, this.op('i32.and', this.#entry, 2 ** at.ENTRY_BITS - 1));
        this.#branch(root);
      });
    });
  }

  #leave(pc: Expression): void {
    this.a.set(this.#exitPc, pc);
    this.#branch(this.#exit);
  }

  /**
   * Leaves an instruction of the page to the interpreter. There are many such ways out, so as little as possible is
   * written for each.
   * @param given steps that were taken and not done; 0 where those that are left are too few
   */
  #interrupt(offset: number, given: number): void {
    this.a.set(this.#undone, offset + given * PAGE_BYTES);
    this.#branch(this.#interruption);
  }

  #interrupted(): void {
    const { a } = this;
    const offset = this.op('i32.and', this.#undone, PAGE_BYTES - 1);
    a.set(this.#exitPc, this.op('i64.add', this.#page, this.op('i64.extend_i32_u', offset)));
    const given = this.op('i32.shr_u', this.#undone, 12);
    a.set(this.#left, this.op('i32.add', this.#left, given));
    a.set(this.#isInterpreted, a.select(given, at.NO_CODE, at.OUT_OF_STEPS));
  }

  /** Calls what is compiled for the address to go on at, if the fetching TLB has its page. */
  #chain(): void {
    const { a } = this;
    const { f } = a;
    const page = this.op('i64.and', this.#exitPc, ~0xfffn);
    const low = this.op('i32.wrap_i64', this.#exitPc);
    const entry = tlbEntry(a, this.#exitPc, a.load('i32.load', 0, at.FETCH_TLB));
    const tag = a.load('i64.load', a.tee(this.#entry, entry), at.EXECUTE_TLB);
    a.when(this.op('i64.eq', tag, page), () => {
      const place = a.load('i32.load', this.#entry, at.EXECUTE_TLB + 8);
      const offset = this.op('i32.shl', this.op('i32.and', low, 0xffe), 1);
      const landing = a.load('i32.load', this.op('i32.add', place, offset), at.LANDINGS);
      a.set(this.#next, this.op('i32.xor', landing, -1));
      a.when(this.op('i32.ge_s', this.#next, 0), () => {
        a.put(this.op('i32.and', this.#next, 2 ** at.ENTRY_BITS - 1));
        a.put(this.#exitPc).put(this.#left);
        a.put(this.op('i32.shr_u', this.#next, at.ENTRY_BITS));
        f.returnCallIndirect(f.typeIndex);
      });
    });
  }

  /** What the function leaves behind beside the registers. */
  #end(pc: Expression, isInterpreted: Expression): void {
    this.a.store('i64.store', 0, pc, at.PC);
    this.a.store('i32.store', 0, isInterpreted, at.IS_INTERPRETED);
  }

  /** Offset in RAM of what is accessed off `rs1`. Leaves where it can not be had. */
  #access(kind: number, size: number, address: Expression): Expression {
    const { a } = this;
    a.set(this.#address, address);
    const pin = this.#pins[this.#node]!.get(placeOf(this.#instruction, 'rs1') + kind);
    if (!pin) return this.#lookUp(kind, size);
    // An access that is not aligned is searched for.
    const page = this.op('i64.and', this.#address, ~0xfffn | BigInt(size - 1));
    a.rarely(this.op('i64.ne', pin.tag, page), () => {
      a.set(this.#entry, this.#found(kind, size));
      a.rarely(this.op('i32.eqz', this.#entry), () => this.evaluate());
      a.set(pin.tag, a.load('i64.load', this.#entry));
      a.set(pin.distance, a.load('i32.load', this.#entry, 8));
    });
    return this.op('i32.add', this.op('i32.wrap_i64', this.#address), pin.distance);
  }

  /** The same of what `address` is set to. */
  #lookUp(kind: number, size: number): Expression {
    const { a } = this;
    a.set(this.#entry, tlbEntry(a, this.#address, this.#dataTlb));
    a.rarely(isTlbMiss(a, this.#entry, kind, this.#address, size), () => {
      a.rarely(this.op('i32.eqz', this.#found(kind, size)), () => this.evaluate());
    });
    return ramOffset(a, this.#entry, kind, this.#address);
  }

  #found(kind: number, size: number): Expression {
    return this.a.call(this.#search, this.#address, size, kind);
  }

  #loadRegisters(): void {
    for (const { instructions } of this.#blocks) {
      for (const instruction of instructions) {
        for (const name of ['rs1', 'rs2', 'rs3', 'rd'] as const) {
          const place = placeOf(instruction, name);
          if (place === at.X) continue;
          if (name === 'rd' && writesRegister(instruction.row)) this.#written.add(place);
          if (this.#registers.has(place)) continue;
          const local = this.a.localI64();
          this.#registers.set(place, local);
          this.a.set(local, this.a.load('i64.load', 0, place));
        }
      }
    }
  }

  #register(place: number): Local {
    const local = this.#registers.get(place);
    assert(local, 'all operands have locals');
    return local;
  }

  #addressOf(offset: number): Expression {
    return this.op('i64.add', this.#page, BigInt(offset));
  }

  #branch(depth: number): void {
    this.a.f.br(this.a.f.depth - depth);
  }
}

function placeOf(instruction: PlacedInstruction, name: 'rd' | 'rs1' | 'rs2' | 'rs3'): number {
  const base = instruction.row.floats?.has(name) ? at.F : at.X;
  return base + 8 * instruction[name];
}

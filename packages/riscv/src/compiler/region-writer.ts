import { assert } from '@polyvisor/errors/assert';
import { Assembler, type Expression, Local } from '@polyvisor/wasm/assembler';
import type { MemoryInstruction, PlainInstruction } from '@polyvisor/wasm/instructions';
import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { I32, type ValueType } from '@polyvisor/wasm/types';
import { STATUS_IN_CODE, codePlace, csrPlace } from '../csr-numbers.ts';
import type { Emitter } from '../emitter.ts';
import { dynamicRounding } from '../float/float-state.ts';
import { DYNAMIC } from '../float/soft-float.ts';
import { type HighProduct, defineHighProduct } from '../high-product.ts';
import * as at from '../layout.ts';
import { RAM, REGION_PARAMS, REGION_RESULTS, importShared } from '../linking.ts';
import { ScratchLocals } from '../scratch-locals.ts';
import { shownStatus, writeStatus } from '../status-code.ts';
import { isTlbMiss, ramOffset, tlbEntry } from '../tlb-code.ts';
import type { Block, PlacedInstruction } from './region.ts';

/** What compiled code calls: fills the TLB for an access. 0 if that must be left to the interpreter. */
export type Fill = (low: number, high: number, size: number, isWritten: number) => number;

/** Where a region is found. */
export interface RegionPlace {
  /** Its number in the table. */
  readonly index: number;
  /** Place of its page's landings. */
  readonly landings: number;
}

/**
 * A module with one function, `region(entry, page address, steps left) -> steps left`. Registers live in locals. A
 * block's steps are taken when it begins; whoever leaves in its middle gives the rest back, so counts are exact.
 * The function never traps: what it can't do it leaves, with nothing done of it, to the interpreter.
 *
 *     block exit
 *       loop again          br_table to the block `next`
 *         block n … block 0
 *         code of block 0   forward jumps go straight to their block, backward ones again through the table
 *         …
 *     registers back to memory, and on to what is compiled for the next address, or back to the interpreter
 */
export function writeRegion(blocks: readonly Block[], self: RegionPlace): Uint8Array<ArrayBuffer> {
  const m = new ModuleWriter();
  const fill = m.importFunction('hart', 'fill', [I32, I32, I32, I32], [I32]);
  importShared(m);
  const highProduct = defineHighProduct(m);
  const f = m.function(REGION_PARAMS, REGION_RESULTS, 'region');
  new RegionWriter(new Assembler(f), blocks, self, fill, highProduct).emitRegion();
  m.exportFunction('region', f.index);
  return m.finish();
}

class RegionWriter implements Emitter {
  readonly a: Assembler;
  rs1: Expression = 0n;
  rs2: Expression = 0n;
  rs3: Expression = 0n;
  imm: Expression = 0n;
  csrOperand: Expression = 0n;
  readonly #blocks: readonly Block[];
  readonly #self: RegionPlace;
  readonly #fill: number;
  readonly highProduct: HighProduct;
  readonly #indexes: ReadonlyMap<number, number>;
  readonly #next: Local;
  readonly #page: Local;
  readonly #left: Local;
  readonly #exitPc: Local;
  readonly #isInterpreted: Local;
  readonly #address: Local;
  readonly #entry: Local;
  readonly #dataTlb: Local;
  readonly #loaded: Local;
  readonly #place: Local;
  /** By place in the engine's memory. */
  readonly #registers = new Map<number, Local>();
  readonly #written = new Set<number>();
  readonly #scratch: ScratchLocals;
  #exit = 0;
  #again = 0;
  /** Depths of the blocks' labels. */
  #labels: number[] = [];
  #blockIndex = 0;
  #done = 0;
  #instruction!: PlacedInstruction;
  #csr = 0;

  constructor(
    a: Assembler,
    blocks: readonly Block[],
    self: RegionPlace,
    fill: number,
    highProduct: HighProduct,
  ) {
    this.a = a;
    this.#scratch = new ScratchLocals(a);
    this.#blocks = blocks;
    this.#self = self;
    this.#fill = fill;
    this.highProduct = highProduct;
    this.#indexes = new Map(blocks.map(({ offset }, i) => [offset, i]));
    this.#next = a.param(0);
    this.#page = a.param(1);
    this.#left = a.param(2);
    this.#exitPc = a.localI64();
    this.#isInterpreted = a.localI32();
    this.#address = a.localI64();
    this.#entry = a.localI32();
    this.#dataTlb = a.localI32();
    this.#loaded = a.localI64();
    this.#place = a.localI32();
  }

  emitRegion(): void {
    const { a } = this;
    const { f } = a;
    this.#loadRegisters();
    a.set(this.#dataTlb, a.load('i32.load', 0, at.DATA_TLB));
    this.#exit = f.block().depth;
    this.#again = f.loop().depth;
    const count = this.#blocks.length;
    for (let i = count - 1; i >= 0; i--) this.#labels[i] = f.block().depth;
    a.put(this.#next);
    const labels = Array.from({ length: count }, (_, i) => i);
    f.brTable(labels.slice(0, -1), count - 1);
    for (const [i, block] of this.#blocks.entries()) {
      f.end();
      this.#blockIndex = i;
      this.#emitBlock(block);
    }
    f.end();
    f.op('unreachable');
    f.end();
    for (const place of this.#written) a.store('i64.store', 0, this.#register(place), place);
    a.when(this.op('i32.eqz', this.#isInterpreted), () => this.#chain());
    a.store('i64.store', 0, this.#exitPc, at.PC);
    a.store('i32.store', 0, this.#isInterpreted, at.IS_INTERPRETED);
    a.put(this.#left);
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
    if (rd === 0 && !row.floats?.has('rd')) this.a.put(value).f.drop();
    else this.a.set(this.#register(placeOf(this.#instruction, 'rd')), value);
  }

  branch(condition: Expression): void {
    const { offset, imm, length } = this.#instruction;
    this.a.when(condition, () => this.#go(offset + imm));
    this.#go(offset + length);
  }

  jumpRelative(): void {
    this.#go(this.#instruction.offset + this.#instruction.imm);
  }

  /** Stays in the region where it has the target as one of its entries. */
  jump(target: Expression): void {
    const { a } = this;
    const address = this.inLocal(target);
    const isInPage = this.op('i64.eq', this.op('i64.and', address, ~0xfffn), this.#page);
    a.when(isInPage, () => {
      const half = this.op('i32.and', this.op('i32.wrap_i64', address), 0xffe);
      const landing = a.load('i32.load', this.op('i32.shl', half, 1), this.#self.landings);
      a.set(this.#entry, this.op('i32.xor', landing, -1));
      const number = this.op('i32.shr_s', this.#entry, at.ENTRY_BITS);
      a.when(this.op('i32.eq', number, this.#self.index), () => {
        a.set(this.#next, this.op('i32.and', this.#entry, 2 ** at.ENTRY_BITS - 1));
        this.#branch(this.#again);
      });
    });
    this.#leave(address, 0);
  }

  load(instruction: MemoryInstruction, size: number, address: Expression): Expression {
    const { a } = this;
    this.#lookUp(at.READ_TLB, size, address);
    a.set(this.#loaded, a.load(instruction, this.#offset(at.READ_TLB), 0, RAM));
    return this.#loaded;
  }

  store(
    instruction: MemoryInstruction,
    size: number,
    address: Expression,
    value: Expression,
  ): void {
    this.#lookUp(at.WRITE_TLB, size, address);
    this.a.store(instruction, this.#offset(at.WRITE_TLB), value, 0, RAM);
  }

  atomicPlace(size: number, isWritten: boolean, address: Expression): Local {
    const { a } = this;
    a.set(this.#address, address);
    const low = this.op('i64.and', this.#address, BigInt(size - 1));
    a.when(this.op('i64.ne', low, 0n), () => this.evaluate());
    const kind = isWritten ? at.WRITE_TLB : at.READ_TLB;
    this.#lookUp(kind, size, this.#address);
    a.set(this.#place, this.#offset(kind));
    return this.#place;
  }

  knownPlace(address: Expression): Local {
    const { a } = this;
    this.#lookUp(at.WRITE_TLB, 1, address);
    a.set(this.#place, this.#offset(at.WRITE_TLB));
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
    a.when(this.#csr === 0 ? 1 : isUser, () => this.evaluate());
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
    this.#leave(this.pc, this.#steps - this.#done, true);
  }

  #emitBlock({ offset, instructions, end }: Block): void {
    const { a } = this;
    const left = this.op('i32.sub', this.#left, instructions.length);
    this.#done = 0;
    a.when(this.op('i32.lt_s', this.#left, instructions.length), () =>
      this.#leave(this.#addressOf(offset), 0, true),
    );
    a.set(this.#left, left);
    for (const instruction of instructions) {
      this.#begin(instruction);
      const { emit } = instruction.row;
      assert(emit, 'blocks hold what there is code for');
      emit(this);
      this.#done++;
    }
    if (!instructions.at(-1)!.row.isJump || instructions.at(-1)!.row.since === 'Zicsr') {
      this.#go(end);
    }
  }

  #begin(instruction: PlacedInstruction): void {
    this.#instruction = instruction;
    this.#scratch.release();
    const read = (name: 'rs1' | 'rs2' | 'rs3'): Expression => {
      const place = placeOf(instruction, name);
      return place === at.X ? 0n : this.#register(place);
    };
    this.rs1 = read('rs1');
    this.rs2 = read('rs2');
    this.rs3 = read('rs3');
    this.imm = BigInt(instruction.imm);
    this.csrOperand = BigInt(instruction.rm);
  }

  /** Goes on at an offset in the page, or beyond it. */
  #go(offset: number): void {
    const index = this.#indexes.get(offset);
    if (index === undefined) {
      this.#leave(this.#addressOf(offset), 0);
    } else if (index > this.#blockIndex) {
      this.#branch(this.#labels[index]!);
    } else {
      this.a.set(this.#next, index);
      this.#branch(this.#again);
    }
  }

  /** @param given steps that were taken and not done */
  #leave(pc: Expression, given: number, isInterpreted = false): void {
    const { a } = this;
    a.set(this.#exitPc, pc);
    if (given > 0) a.set(this.#left, this.op('i32.add', this.#left, given));
    a.set(this.#isInterpreted, isInterpreted ? 1 : 0);
    this.#branch(this.#exit);
  }

  /** Calls what is compiled for the address to go on at, if the fetching TLB has its page. */
  #chain(): void {
    const { a } = this;
    const { f } = a;
    a.set(this.#page, this.op('i64.and', this.#exitPc, ~0xfffn));
    const low = this.op('i32.wrap_i64', this.#exitPc);
    const entry = tlbEntry(a, this.#exitPc, a.load('i32.load', 0, at.FETCH_TLB));
    const tag = a.load('i64.load', a.tee(this.#entry, entry), at.EXECUTE_TLB);
    a.when(this.op('i64.eq', tag, this.#page), () => {
      const place = a.load('i32.load', this.#entry, at.EXECUTE_TLB + 8);
      const offset = this.op('i32.shl', this.op('i32.and', low, 0xffe), 1);
      const landing = a.load('i32.load', this.op('i32.add', place, offset), at.LANDINGS);
      a.set(this.#next, this.op('i32.xor', landing, -1));
      a.when(this.op('i32.ge_s', this.#next, 0), () => {
        a.put(this.op('i32.and', this.#next, 2 ** at.ENTRY_BITS - 1));
        a.put(this.#page).put(this.#left);
        a.put(this.op('i32.shr_u', this.#next, at.ENTRY_BITS));
        f.returnCallIndirect(f.typeIndex);
      });
    });
  }

  /** Sets `address` and `entry`, and leaves where the entry can not be had. */
  #lookUp(kind: number, size: number, address: Expression): void {
    const { a } = this;
    a.set(this.#address, address);
    a.set(this.#entry, tlbEntry(a, this.#address, this.#dataTlb));
    a.when(isTlbMiss(a, this.#entry, kind, this.#address, size), () => {
      const low = this.op('i32.wrap_i64', this.#address);
      const high = this.op('i32.wrap_i64', this.op('i64.shr_u', this.#address, 32n));
      const isWritten = kind === at.WRITE_TLB ? 1 : 0;
      const isFilled = a.call(this.#fill, low, high, size, isWritten);
      a.when(this.op('i32.eqz', isFilled), () => this.evaluate());
    });
  }

  #offset(kind: number): Expression {
    return ramOffset(this.a, this.#entry, kind, this.#address);
  }

  #loadRegisters(): void {
    for (const { instructions } of this.#blocks) {
      for (const instruction of instructions) {
        for (const name of ['rs1', 'rs2', 'rs3', 'rd'] as const) {
          const place = placeOf(instruction, name);
          if (place === at.X) continue;
          if (name === 'rd' && writesRegister(instruction)) this.#written.add(place);
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

  get #steps(): number {
    return this.#blocks[this.#blockIndex]!.instructions.length;
  }

  #branch(depth: number): void {
    this.a.f.br(this.a.f.depth - depth);
  }
}

function placeOf(instruction: PlacedInstruction, name: 'rd' | 'rs1' | 'rs2' | 'rs3'): number {
  const base = instruction.row.floats?.has(name) ? at.F : at.X;
  return base + 8 * instruction[name];
}

function writesRegister({ row }: PlacedInstruction): boolean {
  return row.format !== 'b' && row.format !== 's' && row.format !== 'fence';
}

import type { Expression } from '@polyvisor/wasm/assembler';
import { CACHE_BLOCK_BYTES } from '../cache-block.ts';
import { csrPlace } from '../csr-numbers.ts';
import type { Emitter } from '../emitter.ts';
import type { HartView } from '../hart-view.ts';
import { PRIVILEGE } from '../layout.ts';
import { RAM } from '../linking.ts';
import { CBZE, MACHINE } from '../status.ts';
import type { Evaluate, Extension, Operands, Row } from './row.ts';
import type { FormatName } from './formats.ts';

/**
 * Fences, environment calls, control registers, and what only privileged code does.
 * @see RISC-V Unprivileged ISA 20240411, chapters 2, 6, 7 and 19; Privileged ISA 20240411, sections 3.3 and 11.2
 */

const ALL = 0xffff_ffff | 0;

function fixed(
  name: string,
  since: Extension,
  match: number,
  evaluate: Evaluate,
  isJump = false,
): Row {
  return { name, since, format: 'none', mask: ALL, match: match | 0, evaluate, isJump };
}

/**
 * `next` gives the new value from what was written before, or undefined where nothing is written.
 * @param operation what makes the new value in code; without it, it is the operand
 */
function csr(
  name: string,
  funct3: number,
  format: FormatName,
  next: (old: bigint, o: Operands, m: HartView) => bigint | undefined,
  operation?: (e: Emitter, old: Expression, operand: Expression) => Expression,
): Row {
  return {
    name,
    since: 'Zicsr',
    format,
    mask: 0x707f,
    match: (funct3 << 12) | 0x73,
    isJump: true,
    evaluate: (m, o) => {
      // What csrrw reads has no effect; so reading first is the same where rd is x0.
      const old = m.readCsr(o.imm);
      const value = next(m.keptCsr(o.imm), o, m);
      if (value !== undefined) m.writeCsr(o.imm, value);
      m.setX(o.rd, old);
    },
    emit: (e) => {
      const old = e.readCsr();
      const operand = e.inLocal(format === 'csr' ? e.rs1 : e.csrOperand);
      e.writeCsr(operation ? operation(e, old, operand) : operand);
      e.write(old);
    },
  };
}

const setBits = (e: Emitter, old: Expression, bits: Expression): Expression =>
  e.op('i64.or', old, bits);
const clearBits = (e: Emitter, old: Expression, bits: Expression): Expression =>
  e.op('i64.and', old, e.op('i64.xor', bits, -1n));
const unlessZero = (operand: number, value: bigint): bigint | undefined =>
  operand === 0 ? undefined : value;

/** Zeroes a block that may be written, as `cacheBlock` does; the rest is left to that. */
function emitCacheBlockZero(e: Emitter): void {
  const { a } = e;
  const isClosed = (name: 'menvcfg' | 'senvcfg'): Expression =>
    e.op('i64.eqz', e.op('i64.and', a.load('i64.load', 0, csrPlace(name)), CBZE));
  const privilege = a.load('i32.load', 0, PRIVILEGE);
  const isClosedHere = e.op('i32.and', e.op('i32.ne', privilege, MACHINE), isClosed('menvcfg'));
  const isClosedForU = e.op('i32.and', e.op('i32.eqz', privilege), isClosed('senvcfg'));
  a.when(e.op('i32.or', isClosedHere, isClosedForU), () => e.evaluate());
  const place = e.knownPlace(e.rs1);
  a.set(place, e.op('i32.and', place, -CACHE_BLOCK_BYTES));
  for (let i = 0; i < CACHE_BLOCK_BYTES; i += 8) a.store('i64.store', place, 0n, i, RAM);
}

/** One hart sees its own accesses in order, and code that it writes at once. */
function fence(name: string, since: Extension, funct3: number): Row {
  const match = (funct3 << 12) | 0x0f;
  const nothing = (): void => {};
  return { name, since, format: 'fence', mask: 0x707f, match, evaluate: nothing, emit: nothing };
}

function cacheBlock(
  name: string,
  since: Extension,
  number: number,
  operation: 'zero' | 'invalidate' | 'clean' | 'flush',
): Row {
  return {
    name,
    since,
    format: 'address',
    mask: 0xfff0_7fff | 0,
    match: (number << 20) | 0x200f,
    evaluate: (m, o) => m.cacheBlock(m.x(o.rs1), operation),
    ...(operation === 'zero' && { emit: emitCacheBlockZero }),
  };
}

// oxfmt-ignore
export const systemRows: readonly Row[] = [
  fence('fence', 'I', 0),
  fence('fence.i', 'Zifencei', 1),
  fixed('ecall',  'I', 0x0000_0073, (m) => m.environmentCall(), true),
  fixed('ebreak', 'I', 0x0010_0073, (m) => m.raise(3, m.pc), true),
  csr('csrrw',  1, 'csr',          (_, o, m) => m.x(o.rs1)),
  csr('csrrs',  2, 'csr',          (old, o, m) => unlessZero(o.rs1, old | m.x(o.rs1)), setBits),
  csr('csrrc',  3, 'csr',          (old, o, m) => unlessZero(o.rs1, old & ~m.x(o.rs1)), clearBits),
  csr('csrrwi', 5, 'csrImmediate', (_, o) => BigInt(o.rm)),
  csr('csrrsi', 6, 'csrImmediate', (old, o) => unlessZero(o.rm, old | BigInt(o.rm)), setBits),
  csr('csrrci', 7, 'csrImmediate', (old, o) => unlessZero(o.rm, old & ~BigInt(o.rm)), clearBits),
  fixed('sret', 'Sv39', 0x1020_0073, (m) => m.returnFromTrap('supervisor'), true),
  fixed('mret', 'Sv39', 0x3020_0073, (m) => m.returnFromTrap('machine'), true),
  fixed('wfi',  'Sv39', 0x1050_0073, (m) => m.waitForInterrupt(), true),
  {
    name: 'sfence.vma', since: 'Sv39', format: 'pair', mask: 0xfe00_7fff | 0, match: 0x1200_0073, isJump: true,
    evaluate: (m, o) =>
      m.fenceTranslations(o.rs1 === 0 ? undefined : m.x(o.rs1), o.rs2 === 0 ? undefined : m.x(o.rs2)),
  },
  cacheBlock('cbo.inval', 'Zicbom', 0, 'invalidate'),
  cacheBlock('cbo.clean', 'Zicbom', 1, 'clean'),
  cacheBlock('cbo.flush', 'Zicbom', 2, 'flush'),
  cacheBlock('cbo.zero',  'Zicboz', 4, 'zero'),
];

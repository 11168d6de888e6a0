import type { Expression } from '@polyvisor/wasm/assembler';
import type { PlainInstruction } from '@polyvisor/wasm/instructions';
import type { Emitter } from '../emitter.ts';
import { NO_RESERVATION, RESERVED_ADDRESS, RESERVED_VALUE } from '../layout.ts';
import { RAM } from '../linking.ts';
import type { Row } from './row.ts';

/** The "A" extension. @see RISC-V Unprivileged ISA 20240411, chapter 14 */

/** The bits of order, `aq` and `rl`, may be any: one hart sees its own accesses in order. */
const MASK = 0xf800_707f | 0;
const MASK_LR = 0xf9f0_707f | 0;

type Binary = (old: bigint, operand: bigint) => bigint;
type Operation = (e: Emitter, old: Expression, operand: Expression) => Expression;

const signed = (x: bigint, size: number): bigint => BigInt.asIntN(8 * size, x);
const unsigned = (x: bigint, size: number): bigint => BigInt.asUintN(8 * size, x);

function pair(rowOf: (size: 4 | 8, suffix: string) => Row): Row[] {
  return [rowOf(4, '.w'), rowOf(8, '.d')];
}

const funct = (funct5: number, size: 4 | 8): number =>
  (funct5 << 27) | ((size === 4 ? 2 : 3) << 12) | 0x2f;
const loadOf = (size: 4 | 8) => (size === 4 ? 'i64.load32_s' : 'i64.load');
const storeOf = (size: 4 | 8) => (size === 4 ? 'i64.store32' : 'i64.store');

/** Operands of `evaluate` and of the code are signed numbers of the access's size, unless `isUnsigned`. */
function amo(
  name: string,
  funct5: number,
  evaluate: Binary,
  operation: Operation,
  isUnsigned = false,
): Row[] {
  return pair((size, suffix) => ({
    name: name + suffix,
    since: 'A',
    format: 'amo',
    mask: MASK,
    match: funct(funct5, size),
    evaluate: (m, o) => {
      const address = m.x(o.rs1);
      m.checkAligned(address, size, true);
      const old = m.load(address, size);
      const cut = isUnsigned ? unsigned : signed;
      m.store(address, size, evaluate(cut(old, size), cut(m.x(o.rs2), size)));
      m.setX(o.rd, signed(old, size));
    },
    emit: (e) => {
      const place = e.atomicPlace(size, true, e.rs1);
      const old = e.inLocal(e.a.load(loadOf(size), place, 0, RAM));
      const cut = (value: Expression): Expression =>
        size === 8
          ? value
          : isUnsigned
            ? e.op('i64.and', value, 0xffff_ffffn)
            : e.op('i64.extend32_s', value);
      e.a.store(storeOf(size), place, operation(e, cut(old), cut(e.rs2)), 0, RAM);
      e.write(old);
    },
  }));
}

const loadReserved = pair((size, suffix) => ({
  name: `lr${suffix}`,
  since: 'A',
  format: 'lr',
  mask: MASK_LR,
  match: funct(0x02, size),
  evaluate: (m, o) => {
    const address = m.x(o.rs1);
    m.checkAligned(address, size, false);
    const value = signed(m.load(address, size), size);
    m.reservation = { address, value };
    m.setX(o.rd, value);
  },
  emit: (e) => {
    const address = e.inLocal(e.rs1);
    const place = e.atomicPlace(size, false, address);
    const value = e.inLocal(e.a.load(loadOf(size), place, 0, RAM));
    e.a.store('i64.store', 0, address, RESERVED_ADDRESS);
    e.a.store('i64.store', 0, value, RESERVED_VALUE);
    e.write(value);
  },
}));

/** i32: whether the address is reserved, and so many bytes there were the signed `value`. */
function isReserved(e: Emitter, address: Expression, size: 4 | 8, value: Expression): Expression {
  const isThere = e.op('i64.eq', e.a.load('i64.load', 0, RESERVED_ADDRESS), address);
  const isSame = e.op('i64.eq', e.a.load(loadOf(size), 0, RESERVED_VALUE), value);
  return e.op('i32.and', isThere, isSame);
}

/**
 * Succeeds where the reserved word still holds what was read: whoever wrote the same meanwhile is not seen, as with
 * the compare-and-swap that several harts will need.
 */
const storeConditional = pair((size, suffix) => ({
  name: `sc${suffix}`,
  since: 'A',
  format: 'amo',
  mask: MASK,
  match: funct(0x03, size),
  evaluate: (m, o) => {
    const address = m.x(o.rs1);
    m.checkAligned(address, size, true);
    const value = signed(m.load(address, size), size);
    const isHeld =
      m.reservation?.address === address && signed(m.reservation.value, size) === value;
    // A store's rights are needed even where it fails.
    m.store(address, size, isHeld ? m.x(o.rs2) : value);
    m.reservation = undefined;
    m.setX(o.rd, isHeld ? 0n : 1n);
  },
  emit: (e) => {
    const address = e.inLocal(e.rs1);
    const place = e.atomicPlace(size, true, address);
    const value = e.a.load(loadOf(size), place, 0, RAM);
    const isHeld = e.inLocal(e.op('i64.extend_i32_u', isReserved(e, address, size, value)));
    e.a.when(e.op('i32.wrap_i64', isHeld), () => e.a.store(storeOf(size), place, e.rs2, 0, RAM));
    e.a.store('i64.store', 0, NO_RESERVATION, RESERVED_ADDRESS);
    e.write(e.op('i64.xor', isHeld, 1n));
  },
}));

const plain =
  (name: PlainInstruction): Operation =>
  (e, x, y) =>
    e.op(name, x, y);
const pick =
  (name: PlainInstruction): Operation =>
  (e, x, y) =>
    e.a.select(e.op(name, x, y), x, y);

// oxfmt-ignore
export const atomicRows: readonly Row[] = [
  ...loadReserved,
  ...storeConditional,
  ...amo('amoswap', 0x01, (_, y) => y,               (_, __, y) => y),
  ...amo('amoadd',  0x00, (x, y) => x + y,           plain('i64.add')),
  ...amo('amoxor',  0x04, (x, y) => x ^ y,           plain('i64.xor')),
  ...amo('amoand',  0x0c, (x, y) => x & y,           plain('i64.and')),
  ...amo('amoor',   0x08, (x, y) => x | y,           plain('i64.or')),
  ...amo('amomin',  0x10, (x, y) => (x < y ? x : y), pick('i64.lt_s')),
  ...amo('amomax',  0x14, (x, y) => (x < y ? y : x), pick('i64.gt_s')),
  ...amo('amominu', 0x18, (x, y) => (x < y ? x : y), pick('i64.lt_u'), true),
  ...amo('amomaxu', 0x1c, (x, y) => (x < y ? y : x), pick('i64.gt_u'), true),
];

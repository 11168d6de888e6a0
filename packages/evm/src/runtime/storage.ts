import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import {
  SLOTS,
  SLOTS_END,
  SLOT_CACHE,
  SLOT_CACHE_BITS,
  SLOT_INDEX,
  SLOT_INDEX_BITS,
  SLOT_SIZE,
  account,
  accountFlag,
  frame,
  journalKind,
  slot,
} from '../layout.ts';
import { hasFlag, hashLimbs, journalEntry } from './accounts.ts';
import { faultCode } from './imports.ts';
import { type Runtime, copyWord, isWordNonZero, loadWord, zeroWord } from './runtime.ts';

export function declareStorage(rt: Runtime): void {
  rt.declare('findSlot', [I32, I64, I64, I64, I64], [I32]);
  rt.declare('sload', [I32, I64], [I64]);
  rt.declare('sstore', [I32, I64], [I64]);
  rt.declare('tload', [I32], []);
  rt.declare('tstore', [I32], []);
}

export function defineStorage(rt: Runtime): void {
  defineFindSlot(rt);

  // (sp, gas) -> gas: replaces the key on top of the stack by the slot's value.
  rt.define('sload', (a, sp, gas) => {
    const record = a.localI32();
    a.set(record, findSlotAt(rt, a, self(rt, a), sp!, -32));
    if (rt.has('berlin')) warmSlot(rt, a, record, gas!, rt.price('coldSlot'));
    copyWordBack(a, sp!, -32, record, slot.current);
    a.return(gas!);
  });

  // (sp, gas) -> gas, negative when out of gas: stores value (second) under key (top).
  rt.define('sstore', (a, sp, gas) => {
    const record = a.localI32();
    if (rt.has('istanbul')) {
      // EIP-2200: too little gas left for a write means out of gas, so a stipend can't write.
      a.when(a.i64.leU(gas!, BigInt(rt.price('callStipend'))), () => a.return(-1n));
    }
    a.set(record, findSlotAt(rt, a, self(rt, a), sp!, -32));
    if (rt.has('berlin')) warmSlot(rt, a, record, gas!, 2100);
    const value = a.localI32();
    a.set(value, a.i32.sub(sp!, 64));
    chargeWrite(rt, a, record, value, gas!);
    a.when(a.i64.ltS(gas!, 0n), () => a.return(gas!));
    writeSlot(rt, a, record, value);
    a.return(gas!);
  });

  rt.define('tload', (a, sp) => {
    const record = a.localI32();
    a.set(record, findSlotAt(rt, a, a.i32.or(self(rt, a), 1), sp!, -32));
    copyWordBack(a, sp!, -32, record, slot.current);
  });

  rt.define('tstore', (a, sp) => {
    const record = a.localI32();
    const value = a.localI32();
    a.set(record, findSlotAt(rt, a, a.i32.or(self(rt, a), 1), sp!, -32));
    a.set(value, a.i32.sub(sp!, 64));
    writeSlot(rt, a, record, value);
  });
}

/** `owner` is the account record, with bit 0 set for transient storage. */
function defineFindSlot(rt: Runtime): void {
  rt.define('findSlot', (a, owner, k0, k1, k2, k3) => {
    const { i32, i64 } = a;
    const key = [k0!, k1!, k2!, k3!];
    const at = a.localI32();
    const record = a.localI32();
    const cached = a.localI32();
    const isSame = key
      .map((limb, i) => i64.eq(a.load('i64.load', record, slot.key + 8 * i), limb))
      .reduce(
        (left, right) => i32.and(left, right),
        i32.eq(a.load('i32.load', record, slot.owner), owner!),
      );
    // Whatever is cached may be of another transaction; what its record holds now is what counts.
    const index = i32.and(i32.wrap(k0!), (1 << SLOT_CACHE_BITS) - 1);
    a.set(cached, i32.shl(index, 2));
    a.set(record, a.load('i32.load', cached, SLOT_CACHE));
    const isLive = i32.ltU(i32.sub(record, SLOTS), i32.sub(a.global(rt.globals.slotsTop), SLOTS));
    a.when(i32.and(isLive, isSame), () => a.return(record));

    a.set(at, hashLimbs(a, [...key, i64.extendU(owner!)], SLOT_INDEX_BITS));
    a.f.block().loop();
    const cell = i32.shl(at, 2);
    a.put(i32.eqz(a.tee(record, a.load('i32.load', cell, SLOT_INDEX)))).f.brIf(1);
    a.when(isSame, () => {
      a.store('i32.store', cached, record, SLOT_CACHE);
      a.return(record);
    });
    a.set(at, i32.and(i32.add(at, 1), (1 << SLOT_INDEX_BITS) - 1));
    a.f.br(0).end().end();

    a.set(record, a.global(rt.globals.slotsTop));
    a.when(i32.geU(record, SLOTS_END - SLOT_SIZE), () =>
      a.run(rt.imports.fault, faultCode('slot-table')),
    );
    a.setGlobal(rt.globals.slotsTop, i32.add(record, SLOT_SIZE));
    a.store('i32.store', cell, record, SLOT_INDEX);
    a.store('i32.store', cached, record, SLOT_CACHE);
    a.store('i32.store', record, i32.add(cell, SLOT_INDEX), slot.indexAddress);
    key.forEach((limb, i) => a.store('i64.store', record, limb, slot.key + 8 * i));
    a.store('i32.store', record, owner!, slot.owner);
    a.store('i32.store', record, 0, slot.isWarm);
    zeroWord(a, record, slot.original);
    zeroWord(a, record, slot.current);
    a.when(i32.eqz(i32.and(owner!, 1)), () =>
      a.when(hasFlag(a, owner!, accountFlag.hasStorage), () => a.run(rt.imports.loadSlot, record)),
    );
    a.return(record);
  });
}

/** Price and refund of a write, by the fork's rule. @see EIP-1283, EIP-2200, EIP-2929, EIP-3529 */
function chargeWrite(rt: Runtime, a: Assembler, record: Local, value: Local, gas: Local): void {
  const { i32, i64 } = a;
  const set = rt.price('sstoreSet');
  const reset = rt.price('sstoreReset');
  const clearRefund = rt.price('sstoreClearRefund');
  const charge = (amount: number): void => void a.set(gas, i64.sub(gas, BigInt(amount)));
  const refund = (amount: number): void =>
    void a.setGlobal(rt.globals.refund, i64.add(a.global(rt.globals.refund), BigInt(amount)));
  const isValueZero = i32.eqz(isWordNonZero(a, value));
  const isCurrentZero = i32.eqz(isWordNonZero(a, record, slot.current));
  const isOriginalZero = i32.eqz(isWordNonZero(a, record, slot.original));

  const isNetMetered = rt.has('constantinople') && rt.fork !== 'petersburg';
  if (!isNetMetered) {
    a.when(
      i32.and(isCurrentZero, i32.eqz(isValueZero)),
      () => charge(set),
      () => charge(reset),
    );
    a.when(i32.and(i32.eqz(isCurrentZero), isValueZero), () => refund(clearRefund));
    return;
  }
  const noop = rt.price('sstoreNoop');
  a.when(
    isSameWord(a, record, slot.current, value, 0),
    () => charge(noop),
    () =>
      a.when(
        isSameWord(a, record, slot.original, record, slot.current),
        () => {
          a.when(
            isOriginalZero,
            () => charge(set),
            () => {
              charge(reset);
              a.when(isValueZero, () => refund(clearRefund));
            },
          );
        },
        () => {
          charge(noop);
          a.when(i32.eqz(isOriginalZero), () => {
            a.when(
              isCurrentZero,
              () => refund(-clearRefund),
              () => a.when(isValueZero, () => refund(clearRefund)),
            );
          });
          a.when(isSameWord(a, record, slot.original, value, 0), () =>
            a.when(
              isOriginalZero,
              () => refund(set - noop),
              () => refund(reset - noop),
            ),
          );
        },
      ),
  );
}

function writeSlot(rt: Runtime, a: Assembler, record: Local, value: Local): void {
  a.when(isSameWord(a, record, slot.current, value, 0), () => a.return(...resultOfWriter(a)));
  const entry = a.localI32();
  a.set(entry, journalEntry(rt, a, journalKind.slotValue, record));
  copyWord(a, entry, 8, record, slot.current);
  copyWord(a, record, slot.current, value, 0);
}

/** `writeSlot` ends its function early: what that function returns is its gas parameter, if it has one. */
function resultOfWriter(a: Assembler): Expression[] {
  return a.f.type.results.length === 0 ? [] : [a.param(1)];
}

function warmSlot(rt: Runtime, a: Assembler, record: Local, gas: Local, coldGas: number): void {
  a.when(a.i32.eqz(a.load('i32.load', record, slot.isWarm)), () => {
    a.set(gas, a.i64.sub(gas, BigInt(coldGas)));
    a.store('i32.store', record, 1, slot.isWarm);
    a.put(journalEntry(rt, a, journalKind.slotWarm, record)).f.drop();
  });
}

function self(rt: Runtime, a: Assembler): Expression {
  return a.load('i32.load', a.global(rt.globals.frame), frame.self);
}

/** The slot of the key word at `sp + offset`. */
function findSlotAt(
  rt: Runtime,
  a: Assembler,
  owner: Expression,
  sp: Local,
  offset: number,
): Expression {
  const key = loadWord(a, a.i32.add(sp, offset));
  return a.call(rt.function('findSlot'), owner, ...key);
}

function copyWordBack(
  a: Assembler,
  base: Local,
  offset: number,
  source: Local,
  sourceOffset: number,
): void {
  const destination = a.localI32();
  a.set(destination, a.i32.add(base, offset));
  copyWord(a, destination, 0, source, sourceOffset);
}

export function isSameWord(
  a: Assembler,
  x: Expression,
  xOffset: number,
  y: Expression,
  yOffset: number,
): Expression {
  const left = loadWord(a, x, xOffset);
  const right = loadWord(a, y, yOffset);
  return a.i64.eqz(
    left
      .map((limb, i) => a.i64.xor(limb, right[i]!))
      .reduce((before, limb) => a.i64.or(before, limb)),
  );
}

/** The nonce of an account record. */
export function nonceOf(a: Assembler, record: Expression): Expression {
  return a.load('i64.load', record, account.nonce);
}

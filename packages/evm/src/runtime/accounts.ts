import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import {
  ACCOUNTS_END,
  ACCOUNT_INDEX,
  ACCOUNT_INDEX_BITS,
  ACCOUNT_SIZE,
  account,
  accountFlag,
  contextAddress,
  journalKind,
} from '../layout.ts';
import { precompileRanges } from '../precompile-ranges.ts';
import { faultCode } from './imports.ts';
import { type Runtime, isWordNonZero } from './runtime.ts';

export function declareAccounts(rt: Runtime): void {
  rt.declare('findAccount', [I64, I64, I64], [I32]);
  rt.declare('setFlags', [I32, I32], []);
  rt.declare('accessAccount', [I64, I64, I64, I64], [I32, I64]);
  rt.declare('ensureCode', [I32], []);
  rt.declare('transfer', [I32, I32, I32], []);
}

export function defineAccounts(rt: Runtime): void {
  defineFindAccount(rt);

  // Sets flags of an account, undoable.
  rt.define('setFlags', (a, record, flags) => {
    const { i32 } = a;
    const old = a.localI32();
    a.set(old, a.load('i32.load', record!, account.flags));
    a.when(i32.eq(i32.and(old, flags!), flags!), () => a.return());
    a.store('i32.store', journalEntry(rt, a, journalKind.flags, record!), old, 8);
    a.store('i32.store', record!, i32.or(old, flags!), account.flags);
  });

  // Finds an account and charges what its first access costs since EIP-2929.
  rt.define('accessAccount', (a, l0, l1, l2, gas) => {
    const record = a.localI32();
    a.set(record, a.call(rt.function('findAccount'), l0!, l1!, l2!));
    if (rt.has('berlin')) chargeAccess(rt, a, record, gas!, rt.price('coldAccount'), 0);
    a.return(record, gas!);
  });

  rt.define('ensureCode', (a, record) => {
    a.when(a.i32.eqz(hasFlag(a, record!, accountFlag.codeLoaded)), () =>
      a.run(rt.imports.loadCode, record!),
    );
  });

  // Moves the word at `value`; the caller has checked the balance. Undoable.
  rt.define('transfer', (a, from, to, value) => {
    a.when(a.i32.eqz(isWordNonZero(a, value!)), () => a.return());
    journalBalance(rt, a, from!);
    addToBalance(a, from!, value!, 'sub');
    journalBalance(rt, a, to!);
    addToBalance(a, to!, value!, 'add');
  });
}

/** Open addressing over the address limbs; a new record is filled by the host. */
function defineFindAccount(rt: Runtime): void {
  rt.define('findAccount', (a, l0, l1, l2) => {
    const { i32, i64 } = a;
    const at = a.localI32();
    const record = a.localI32();
    a.set(at, hashLimbs(a, [l0!, l1!, l2!], ACCOUNT_INDEX_BITS));
    a.f.block().loop();
    const cell = i32.shl(at, 2);
    a.put(i32.eqz(a.tee(record, a.load('i32.load', cell, ACCOUNT_INDEX)))).f.brIf(1);
    const isSame = [l0!, l1!, l2!]
      .map((limb, i) => i64.eq(a.load('i64.load', record, account.address + 8 * i), limb))
      .reduce((left, right) => i32.and(left, right));
    a.when(isSame, () => a.return(record));
    a.set(at, i32.and(i32.add(at, 1), (1 << ACCOUNT_INDEX_BITS) - 1));
    a.f.br(0).end().end();

    a.set(record, a.global(rt.globals.accountsTop));
    a.when(i32.geU(record, ACCOUNTS_END - ACCOUNT_SIZE), () =>
      a.run(rt.imports.fault, faultCode('account-table')),
    );
    a.setGlobal(rt.globals.accountsTop, i32.add(record, ACCOUNT_SIZE));
    a.fill(record, 0, ACCOUNT_SIZE);
    a.store('i32.store', cell, record, ACCOUNT_INDEX);
    a.store('i32.store', record, i32.add(cell, ACCOUNT_INDEX), account.indexAddress);
    [l0!, l1!, l2!].forEach((limb, i) =>
      a.store('i64.store', record, limb, account.address + 8 * i),
    );
    a.run(rt.imports.loadAccount, record);
    // A precompile is always warm. @see EIP-2929
    a.when(isPrecompile(rt, a, l0!, l1!, l2!), () => {
      const flags = i32.or(
        a.load('i32.load', record, account.flags),
        accountFlag.precompile | accountFlag.warm,
      );
      a.store('i32.store', record, flags, account.flags);
    });
    a.return(record);
  });
}

function isPrecompile(rt: Runtime, a: Assembler, l0: Local, l1: Local, l2: Local): Expression {
  const inRange = precompileRanges(rt.fork)
    .map(([first, last]) => a.i64.leU(a.i64.sub(l0, BigInt(first)), BigInt(last - first)))
    .reduce((left, right) => a.i32.or(left, right));
  return a.i32.and(inRange, a.i64.eqz(a.i64.or(l1, l2)));
}

/** Charges `coldGas` (or `warmGas` when warm) for a record's access and makes it warm, undoable. */
export function chargeAccess(
  rt: Runtime,
  a: Assembler,
  record: Expression,
  gas: Local,
  coldGas: number,
  warmGas: number,
): void {
  a.when(
    hasFlag(a, record, accountFlag.warm),
    () => {
      if (warmGas) a.set(gas, a.i64.sub(gas, BigInt(warmGas)));
    },
    () => {
      a.set(gas, a.i64.sub(gas, BigInt(coldGas)));
      a.run(rt.function('setFlags'), record, accountFlag.warm);
    },
  );
}

export function hasFlag(a: Assembler, record: Expression, flag: number): Expression {
  return a.i32.and(a.load('i32.load', record, account.flags), flag);
}

/** Dead in the sense of EIP-161: no nonce, no balance, no code. */
export function isEmptyAccount(a: Assembler, record: Expression): Expression {
  const { i32, i64 } = a;
  return i32.eqz(
    i32.or(
      i32.or(
        hasFlag(a, record, accountFlag.hasCode),
        i64.ne(a.load('i64.load', record, account.nonce), 0n),
      ),
      isWordNonZero(a, record, account.balance),
    ),
  );
}

/** Appends a journal entry and yields its address; the caller stores the old value at offset 8. */
export function journalEntry(
  rt: Runtime,
  a: Assembler,
  kind: number,
  record: Expression,
): Expression {
  return a.call(rt.function('journal'), kind, record);
}

export function journalBalance(rt: Runtime, a: Assembler, record: Local): void {
  const entry = a.localI32();
  a.set(entry, journalEntry(rt, a, journalKind.balance, record));
  for (const half of [0, 16]) {
    a.put(entry).put(record);
    a.f.v128Load(account.balance + half).v128Store(8 + half);
  }
}

/** balance +/- the word at `value`, modulo 2^256. */
export function addToBalance(
  a: Assembler,
  record: Local,
  value: Expression,
  operation: 'add' | 'sub',
): void {
  const { i64 } = a;
  const carry = a.localI64();
  const left = a.localI64();
  const right = a.localI64();
  const sum = a.localI64();
  a.set(carry, 0n);
  for (let limb = 0; limb < 4; limb++) {
    a.set(left, a.load('i64.load', record, account.balance + 8 * limb));
    a.set(right, a.load('i64.load', value, 8 * limb));
    a.set(sum, i64[operation](left, right));
    a.store('i64.store', record, i64[operation](sum, carry), account.balance + 8 * limb);
    if (limb === 3) break;
    const first = operation === 'add' ? i64.ltU(sum, left) : i64.ltU(left, right);
    const second = operation === 'add' ? i64.ltU(i64.add(sum, carry), sum) : i64.ltU(sum, carry);
    a.set(carry, i64.extendU(a.i32.or(first, second)));
  }
}

/** Mixes limbs and the engine's seed to `bits` bits: multiply and fold, twice a limb. */
export function hashLimbs(a: Assembler, limbs: readonly Expression[], bits: number): Expression {
  const { i64 } = a;
  const hash = a.localI64();
  const mix = (value: Expression): void => {
    a.set(hash, i64.mul(i64.xor(hash, value), 0x9e37_79b9_7f4a_7c15n));
    a.set(hash, i64.xor(hash, i64.shrU(hash, 29n)));
  };
  return () => {
    a.set(hash, a.load('i64.load', 0, contextAddress('hashSeed')));
    for (const limb of limbs) mix(limb);
    a.put(a.i32.wrap(i64.shrU(i64.mul(hash, 0xbf58_476d_1ce4_e5b9n), BigInt(64 - bits))));
  };
}

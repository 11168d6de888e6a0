import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import { limits } from '../gas.ts';
import {
  CALL_DEPTH_MAX,
  CODE_PADDING,
  SCRATCH,
  account,
  accountFlag,
  frame,
  frameKinds,
} from '../layout.ts';
import { addToBalance, hasFlag, isEmptyAccount, journalBalance } from './accounts.ts';
import { markDirty, memoryEnd } from './memory.ts';
import { type Runtime, copyWord, isWordBelow, isWordNonZero, loadWord } from './runtime.ts';
import { nonceOf } from './storage.ts';

export type CreateKind = 'CREATE' | 'CREATE2';

export function declareCreates(rt: Runtime): void {
  rt.declare('CREATE', [I32, I64], [I32]);
  rt.declare('CREATE2', [I32, I64], [I32]);
  rt.declare('startCreate', [I32, I32], []);
  rt.declare('selfdestruct', [I32, I64], [I64]);
}

export function defineCreates(rt: Runtime): void {
  for (const kind of ['CREATE', 'CREATE2'] as const) defineCreate(rt, kind);
  defineStartCreate(rt);
  defineSelfdestruct(rt);
}

/**
 * (sp, gas) -> ending. Operands: value, offset, size and, for CREATE2, the salt.
 * @see EIP-1014, EIP-3860, EIP-150
 */
function defineCreate(rt: Runtime, kind: CreateKind): void {
  rt.define(kind, (a, sp, gas) => {
    const { i32, i64 } = a;
    const current = a.localI32();
    const self = a.localI32();
    const child = a.localI32();
    const target = a.localI32();
    const size = a.localI32();
    const source = a.localI32();
    const given = a.localI64();
    const nonce = a.localI64();
    const operand = (index: number): Expression => i32.add(sp!, -32 * (index + 1));
    const operandCount = kind === 'CREATE' ? 3 : 4;

    a.set(current, a.global(rt.globals.frame));
    a.when(a.load('i32.load', current, frame.isStatic), () =>
      a.return(rt.ending('static-state-change')),
    );
    const end = a.call(rt.function('range'), operand(1), operand(2));
    a.set(gas!, a.call(rt.function('expand'), end, gas!));
    a.when(i64.ltS(gas!, 0n), () => a.return(rt.ending('out-of-gas')));
    a.set(size, a.load('i32.load', operand(2)));
    const initcodeSizeMax = rt.at(limits.initcodeSize);
    if (initcodeSizeMax !== undefined) {
      a.when(i32.gtU(size, initcodeSizeMax), () => a.return(rt.ending('initcode-too-large')));
    }
    const wordPrice = rt.price('initcodeWord') + (kind === 'CREATE2' ? rt.price('keccakWord') : 0);
    if (wordPrice > 0) {
      const words = i64.shrU(i64.add(i64.extendU(size), 31n), 5n);
      a.set(gas!, i64.sub(gas!, i64.mul(words, BigInt(wordPrice))));
    }
    a.when(i64.ltS(gas!, 0n), () => a.return(rt.ending('out-of-gas')));

    a.set(given, rt.has('tangerineWhistle') ? i64.sub(gas!, i64.shrU(gas!, 6n)) : gas!);
    a.set(self, a.load('i32.load', current, frame.self));
    a.store('i32.store', current, operand(operandCount - 1), frame.sp);
    a.store('i32.store', current, i32.add(a.load('i32.load', current, frame.sp), 32), frame.sp);
    a.store('i64.store', current, i64.sub(gas!, given), frame.gas);
    a.set(child, a.call(rt.function('openFrame'), current, frameKinds.indexOf(kind), given));
    a.store('i32.store', child, self, frame.self);
    copyWord(a, child, frame.caller, self, account.address);
    copyWord(a, child, frame.value, operand(0), 0);
    a.set(
      source,
      i32.add(a.load('i32.load', current, frame.memoryBase), a.load('i32.load', operand(1))),
    );
    a.store('i32.store', child, source, frame.input);
    a.store('i32.store', child, size, frame.inputSize);

    const fail = (): void => {
      a.run(rt.function('pushResult'), 0, given);
      a.return(0);
    };
    a.set(nonce, nonceOf(a, self));
    a.when(i32.gtU(a.load('i32.load', child, frame.depth), CALL_DEPTH_MAX), fail);
    a.when(isWordBelow(a, self, account.balance, operand(0), 0), fail);
    a.when(i64.eq(nonce, -1n), fail);

    const salt = kind === 'CREATE2' ? operand(3) : 0;
    a.run(rt.imports.createAddress, frameKinds.indexOf(kind), self, source, size, salt);
    a.run(rt.function('setNonce'), self, i64.add(nonce, 1n));
    const limbs = loadWord(a, SCRATCH);
    a.set(target, a.call(rt.function('findAccount'), limbs[0]!, limbs[1]!, limbs[2]!));
    if (rt.has('berlin')) a.run(rt.function('setFlags'), target, accountFlag.warm);
    // The creator's nonce and the access stay even when the creation fails.
    a.store('i32.store', child, a.global(rt.globals.journalTop), frame.journalMark);
    a.when(isTaken(a, target), () => {
      a.run(rt.function('pushResult'), 0, 0n);
      a.return(0);
    });
    a.run(rt.function('startCreate'), child, target);
    a.return(0);
  });
}

/** Whether a contract can't be created there. @see EIP-684, EIP-7610 */
function isTaken(a: Assembler, target: Local): Expression {
  return a.i32.or(
    a.i64.ne(nonceOf(a, target), 0n),
    hasFlag(a, target, accountFlag.hasCode | accountFlag.hasStorage),
  );
}

/**
 * (child frame, account): endows the account and enters the init code, which `input` points at. It is copied
 * behind the caller's memory together with its map of jump destinations; the child's memory follows.
 */
function defineStartCreate(rt: Runtime): void {
  rt.define('startCreate', (a, child, target) => {
    const { i32 } = a;
    const code = a.localI32();
    const size = a.localI32();
    const map = a.localI32();
    const end = a.localI32();
    a.store('i32.store', child!, target!, frame.self);
    a.store('i32.store', child!, target!, frame.called);
    a.store('i32.store', child!, target!, frame.created);
    if (rt.isTraced) {
      a.run(rt.imports.traceEnter, child!, a.load('i32.load', child!, frame.kind));
    }
    a.run(
      rt.function('setFlags'),
      target!,
      accountFlag.created | accountFlag.exists | accountFlag.touched,
    );
    if (rt.has('spuriousDragon')) a.run(rt.function('setNonce'), target!, 1n);
    const creator = a.call(
      rt.function('findAccount'),
      ...loadWord(a, child!, frame.caller).slice(0, 3),
    );
    a.run(rt.function('transfer'), creator, target!, i32.add(child!, frame.value));

    a.set(code, memoryEnd(a, a.global(rt.globals.frame)));
    a.set(size, a.load('i32.load', child!, frame.inputSize));
    a.set(map, i32.add(i32.add(code, size), CODE_PADDING));
    a.set(end, i32.and(i32.add(i32.add(map, size), 127), -64));
    a.run(rt.function('reserve'), end);
    markDirty(rt, a, end);
    a.when(size, () => a.copy(code, a.load('i32.load', child!, frame.input), size));
    a.fill(i32.add(code, size), 0, CODE_PADDING);
    a.run(rt.function('findJumpdests'), code, size, map);
    a.store('i32.store', child!, code, frame.code);
    a.store('i32.store', child!, size, frame.codeSize);
    a.store('i32.store', child!, map, frame.jumpdests);
    a.store('i32.store', child!, 0, frame.cells);
    a.store('i32.store', child!, 0, frame.inputSize);
    a.store('i32.store', child!, 0, frame.outputSize);
    a.run(rt.function('enter'), child!, end);
  });
}

/**
 * (sp, gas) -> gas left, negative when out of gas. Moves the balance to the address on top of the stack and
 * marks the account; the frame ends after it. @see EIP-150, EIP-161, EIP-2929, EIP-3529, EIP-6780
 */
function defineSelfdestruct(rt: Runtime): void {
  rt.define('selfdestruct', (a, sp, gas) => {
    const { i32, i64 } = a;
    const self = a.localI32();
    const heir = a.localI32();
    const amount = a.localI32();
    const isEndowed = a.localI32();
    a.set(self, a.load('i32.load', a.global(rt.globals.frame), frame.self));
    const limb = (index: number): Expression => a.load('i64.load', i32.sub(sp!, 32), 8 * index);
    a.set(
      heir,
      a.call(rt.function('findAccount'), limb(0), limb(1), i64.and(limb(2), 0xffff_ffffn)),
    );
    if (rt.has('berlin')) {
      a.when(i32.eqz(hasFlag(a, heir, accountFlag.warm)), () => {
        a.set(gas!, i64.sub(gas!, BigInt(rt.price('coldAccountAccess'))));
        a.run(rt.function('setFlags'), heir, accountFlag.warm);
      });
    }
    a.set(isEndowed, isWordNonZero(a, self, account.balance));
    if (rt.has('tangerineWhistle')) {
      const isNew = rt.has('spuriousDragon')
        ? i32.and(isEndowed, isEmptyAccount(a, heir))
        : i32.eqz(hasFlag(a, heir, accountFlag.exists));
      a.when(isNew, () => a.set(gas!, i64.sub(gas!, BigInt(rt.price('newAccount')))));
    }
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));

    if (rt.price('selfdestructRefund') > 0) {
      a.when(i32.eqz(hasFlag(a, self, accountFlag.destructed)), () => {
        const refund = BigInt(rt.price('selfdestructRefund'));
        a.setGlobal(rt.globals.refund, i64.add(a.global(rt.globals.refund), refund));
      });
    }
    a.set(amount, SCRATCH);
    copyWord(a, amount, 0, self, account.balance);
    if (rt.isTraced) traceSelfdestruct(rt, a, self, heir);
    a.when(i32.ne(self, heir), () => a.run(rt.function('transfer'), self, heir, amount));
    a.run(rt.function('setFlags'), heir, accountFlag.touched);
    a.when(rt.has('spuriousDragon') ? isEndowed : 1, () =>
      a.run(rt.function('setFlags'), heir, accountFlag.exists),
    );
    // Since EIP-6780 only what was created in the same transaction goes.
    const isGone = rt.has('cancun') ? hasFlag(a, self, accountFlag.created) : 1;
    a.when(isGone, () => {
      // What it sent to itself is burned.
      a.when(isWordNonZero(a, self, account.balance), () => {
        journalBalance(rt, a, self);
        addToBalance(a, self, amount, 'sub');
      });
      a.run(rt.function('setFlags'), self, accountFlag.destructed);
    });
    a.return(gas!);
  });
}

/** Shows the tracer a frame of kind SELFDESTRUCT that starts and ends at once. */
function traceSelfdestruct(rt: Runtime, a: Assembler, self: Local, heir: Local): void {
  const child = a.localI32();
  const kind = frameKinds.indexOf('SELFDESTRUCT');
  a.set(child, a.call(rt.function('openFrame'), a.global(rt.globals.frame), kind, 0n));
  copyWord(a, child, frame.caller, self, account.address);
  copyWord(a, child, frame.value, self, account.balance);
  a.store('i32.store', child, heir, frame.self);
  a.store('i32.store', child, heir, frame.called);
  a.store('i32.store', child, 0, frame.inputSize);
  a.run(rt.imports.traceEnter, child, kind);
  a.setGlobal(rt.globals.gas, 0n);
  a.run(rt.imports.traceExit, 0, 0, 0);
}

import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import {
  CALL_DEPTH_MAX,
  FRAME_SIZE,
  RETURN_DATA,
  account,
  accountFlag,
  frame,
  frameKinds,
} from '../layout.ts';
import { chargeAccess, hasFlag, isEmptyAccount } from './accounts.ts';
import { memoryEnd } from './memory.ts';
import { type Runtime, copyWord, isWordBelow, isWordNonZero, zeroWord } from './runtime.ts';

export type CallKind = 'CALL' | 'CALLCODE' | 'DELEGATECALL' | 'STATICCALL';

/** Value that the call functions return when the running frame halts: its ending; 0 means go on. */
export function declareCalls(rt: Runtime): void {
  for (const kind of ['CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL']) {
    rt.declare(kind, [I32, I64], [I32]);
  }
  rt.declare('openFrame', [I32, I32, I64], [I32]);
  rt.declare('startCall', [I32], []);
}

export function defineCalls(rt: Runtime): void {
  for (const kind of ['CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL'] as const) {
    defineCall(rt, kind);
  }
  defineOpenFrame(rt);
  defineStartCall(rt);
}

/**
 * (sp, gas) -> ending. The operands are on the stack: gas, address, value (CALL and CALLCODE), input offset and
 * size, output offset and size. The frame's pc is already that of the next instruction.
 * @see Yellow Paper, appendix H.2; EIP-150, EIP-161, EIP-2929, EIP-7702
 */
function defineCall(rt: Runtime, kind: CallKind): void {
  const hasValue = kind === 'CALL' || kind === 'CALLCODE';
  const operand = (index: number): number => -32 * (index + 1);
  const value = operand(2);
  const rest = hasValue ? 3 : 2;

  rt.define(kind, (a, sp, gas) => {
    const { i32, i64 } = a;
    const current = a.localI32();
    const target = a.localI32();
    const code = a.localI32();
    const child = a.localI32();
    const isValued = a.localI32();
    const given = a.localI64();
    const word = (index: number): Expression => i32.add(sp!, operand(index));
    const outOfGas = (): void => void a.return(rt.ending('out-of-gas'));

    a.set(current, a.global(rt.globals.frame));
    if (hasValue) a.set(isValued, isWordNonZero(a, i32.add(sp!, value)));
    if (kind === 'CALL') {
      a.when(i32.and(isValued, a.load('i32.load', current, frame.isStatic)), () =>
        a.return(rt.ending('static-state-change')),
      );
    }
    for (const first of [rest, rest + 2]) {
      const end = a.call(rt.function('range'), word(first), word(first + 1));
      a.set(gas!, a.call(rt.function('expand'), end, gas!));
      a.when(i64.ltS(gas!, 0n), outOfGas);
    }
    const limb = (index: number): Expression =>
      a.load('i64.load', i32.add(sp!, operand(1)), 8 * index);
    a.callInto(
      [target, gas!],
      rt.function('accessAccount'),
      limb(0),
      limb(1),
      i64.and(limb(2), 0xffff_ffffn),
      gas!,
    );
    a.run(rt.function('ensureCode'), target);
    a.set(code, target);
    if (rt.has('prague')) resolveDelegation(rt, a, target, code, gas!);
    if (hasValue) {
      a.when(isValued, () => a.set(gas!, i64.sub(gas!, BigInt(rt.price('callValue')))));
    }
    if (kind === 'CALL') {
      const isNew = rt.has('spuriousDragon')
        ? i32.and(isValued, isEmptyAccount(a, target))
        : i32.eqz(hasFlag(a, target, accountFlag.exists));
      a.when(isNew, () => a.set(gas!, i64.sub(gas!, BigInt(rt.price('newAccount')))));
    }
    a.when(i64.ltS(gas!, 0n), outOfGas);

    chooseGas(rt, a, sp!, gas!, given, outOfGas);
    a.set(gas!, i64.sub(gas!, given));
    if (hasValue) {
      a.when(isValued, () => a.set(given, i64.add(given, BigInt(rt.price('callStipend')))));
    }

    // The result replaces the last operand.
    a.store('i32.store', current, i32.add(sp!, operand(rest + 3) + 32), frame.sp);
    a.store('i64.store', current, gas!, frame.gas);
    a.set(child, a.call(rt.function('openFrame'), current, frameKinds.indexOf(kind), given));
    const memoryAddress = (index: number): Expression =>
      i32.add(a.load('i32.load', current, frame.memoryBase), a.load('i32.load', word(index)));
    a.store('i32.store', child, memoryAddress(rest), frame.input);
    a.store('i32.store', child, a.load('i32.load', word(rest + 1)), frame.inputSize);
    a.store('i32.store', child, memoryAddress(rest + 2), frame.output);
    a.store('i32.store', child, a.load('i32.load', word(rest + 3)), frame.outputSize);
    a.store('i32.store', child, target, frame.called);
    setCode(a, child, code);
    const isOwnContext = kind === 'CALL' || kind === 'STATICCALL';
    const self = a.load('i32.load', current, frame.self);
    a.store('i32.store', child, isOwnContext ? target : self, frame.self);
    if (kind === 'STATICCALL') a.store('i32.store', child, 1, frame.isStatic);
    if (kind === 'DELEGATECALL') {
      copyWord(a, child, frame.caller, current, frame.caller);
      copyWord(a, child, frame.value, current, frame.value);
    } else {
      copyWord(a, child, frame.caller, self, account.address);
      if (hasValue) copyWord(a, child, frame.value, i32.add(sp!, value), 0);
      else zeroWord(a, child, frame.value);
    }
    a.run(rt.function('startCall'), child);
    a.return(0);
  });
}

/** EIP-7702: code that designates another account is replaced by that account's, at its access price. */
function resolveDelegation(
  rt: Runtime,
  a: Assembler,
  target: Local,
  code: Local,
  gas: Local,
): void {
  a.when(hasFlag(a, target, accountFlag.delegated), () => {
    a.set(code, a.call(rt.function('findAccount'), ...delegateLimbs(a, target)));
    chargeAccess(rt, a, code, gas, rt.price('coldAccountAccess'), rt.price('warmAccess'));
    a.run(rt.function('ensureCode'), code);
  });
}

/** Limbs of the address behind the prefix 0xef0100 of a delegation designator. */
export function delegateLimbs(a: Assembler, record: Local): Expression[] {
  const { i64 } = a;
  const byte = (index: number): Expression =>
    a.load('i64.load8_u', a.load('i32.load', record, account.code), 3 + index);
  const limb = (last: number, count: number): Expression => {
    let value: Expression = byte(last);
    for (let i = 1; i < count; i++) {
      value = i64.or(value, i64.shl(byte(last - i), BigInt(8 * i)));
    }
    return value;
  };
  return [limb(19, 8), limb(11, 8), limb(3, 4)];
}

/** The gas that the callee gets of what is asked for on top of the stack. @see EIP-150 */
function chooseGas(
  rt: Runtime,
  a: Assembler,
  sp: Local,
  gas: Local,
  given: Local,
  outOfGas: () => void,
): void {
  const { i32, i64 } = a;
  const top = a.localI32();
  a.set(top, i32.sub(sp, 32));
  a.set(given, a.load('i64.load', top));
  if (rt.has('tangerineWhistle')) {
    const most = a.localI64();
    a.set(most, i64.sub(gas, i64.shrU(gas, 6n)));
    a.when(i32.or(isWordNonZero(a, top, 0, 1), i64.gtU(given, most)), () => a.set(given, most));
  } else {
    a.when(i32.or(isWordNonZero(a, top, 0, 1), i64.gtU(given, gas)), outOfGas);
  }
}

/** (caller's frame, kind, gas) -> the next frame's record with what all kinds have in common. */
function defineOpenFrame(rt: Runtime): void {
  const { globals } = rt;
  rt.define('openFrame', (a, current, kind, given) => {
    const { i32 } = a;
    const child = a.localI32();
    a.set(child, i32.add(current!, FRAME_SIZE));
    const depth = a.load('i32.load', current!, frame.depth);
    a.store('i32.store', child, i32.add(depth, 1), frame.depth);
    a.store('i32.store', child, kind!, frame.kind);
    a.store('i64.store', child, given!, frame.gasGiven);
    a.store('i32.store', child, a.load('i32.load', current!, frame.isStatic), frame.isStatic);
    a.store('i32.store', child, a.global(globals.journalTop), frame.journalMark);
    a.store('i32.store', child, a.global(globals.logsTop), frame.logsMark);
    a.store('i64.store', child, a.global(globals.refund), frame.refundMark);
    a.store('i32.store', child, 0, frame.created);
    a.setGlobal(globals.returnSize, 0);
    a.return(child);
  });
}

/**
 * (child frame): transfers the value, then runs a precompile, enters the code, or, where there is none, succeeds
 * at once. The running frame is the caller.
 */
function defineStartCall(rt: Runtime): void {
  const { globals } = rt;
  rt.define('startCall', (a, child) => {
    const { i32 } = a;
    const caller = a.localI32();
    const target = a.localI32();
    const kind = a.localI32();
    const given = a.load('i64.load', child!, frame.gasGiven);
    a.set(caller, a.load('i32.load', a.global(globals.frame), frame.self));
    a.set(target, a.load('i32.load', child!, frame.self));
    a.set(kind, a.load('i32.load', child!, frame.kind));
    if (rt.isTraced) a.run(rt.imports.traceEnter, child!, kind);

    const fail = (ending: number): void => {
      traceExit(rt, a, ending, given);
      a.run(rt.function('pushResult'), 0, given);
      a.return();
    };
    a.when(i32.gtU(a.load('i32.load', child!, frame.depth), CALL_DEPTH_MAX), () =>
      fail(rt.ending('call-depth')),
    );
    const isMoving = i32.leU(kind, frameKinds.indexOf('CALLCODE'));
    a.when(isMoving, () =>
      a.when(isWordBelow(a, caller, account.balance, child!, frame.value), () =>
        fail(rt.ending('insufficient-balance')),
      ),
    );
    a.when(i32.eqz(kind), () => {
      a.run(rt.function('transfer'), caller, target, i32.add(child!, frame.value));
      const isCreating = rt.has('spuriousDragon')
        ? isWordNonZero(a, child!, frame.value)
        : (1 as Expression);
      a.when(isCreating, () => a.run(rt.function('setFlags'), target, accountFlag.exists));
    });
    a.run(rt.function('setFlags'), target, accountFlag.touched);

    // Asked of the account that is called: a delegation to a precompile executes nothing (EIP-7702).
    const called = a.load('i32.load', child!, frame.called);
    a.when(hasFlag(a, called, accountFlag.precompile), () => runPrecompile(rt, a, child!));
    a.when(i32.eqz(a.load('i32.load', child!, frame.codeSize)), () => {
      traceExit(rt, a, 0, given);
      a.run(rt.function('pushResult'), 1, given);
      a.return();
    });
    a.run(rt.function('enter'), child!, memoryEnd(a, a.global(globals.frame)));
  });
}

/** Gives a frame the code of an account record. */
function setCode(a: Assembler, child: Local, record: Local): void {
  for (const [from, to] of [
    [account.code, frame.code],
    [account.codeSize, frame.codeSize],
    [account.jumpdests, frame.jumpdests],
    [account.cells, frame.cells],
  ] as const) {
    a.store('i32.store', child, a.load('i32.load', record, from), to);
  }
}

function runPrecompile(rt: Runtime, a: Assembler, child: Local): void {
  const { i32 } = a;
  const { globals } = rt;
  const size = a.localI32();
  const isOk = a.localI32();
  a.set(isOk, a.call(rt.imports.precompile, child));
  a.when(
    isOk,
    () => {
      a.set(size, a.load('i32.load', child, frame.outputSize));
      a.set(
        size,
        a.select(i32.ltU(size, a.global(globals.returnSize)), size, a.global(globals.returnSize)),
      );
      a.when(size, () => a.copy(a.load('i32.load', child, frame.output), RETURN_DATA, size));
    },
    () => {
      a.setGlobal(globals.returnSize, 0);
      a.setGlobal(globals.gas, 0n);
      a.run(rt.function('revertTo'), a.load('i32.load', child, frame.journalMark));
    },
  );
  if (rt.isTraced) {
    const ending = a.select(isOk, 0, rt.ending('precompile-failure'));
    a.run(rt.imports.traceExit, ending, RETURN_DATA, a.global(globals.returnSize));
  }
  a.run(rt.function('pushResult'), isOk, a.global(globals.gas));
  a.return();
}

/** Tells the tracer of a frame that ended without running. */
function traceExit(rt: Runtime, a: Assembler, ending: number, gasLeft: Expression): void {
  if (!rt.isTraced) return;
  a.setGlobal(rt.globals.gas, gasLeft);
  a.run(rt.imports.traceExit, ending, RETURN_DATA, 0);
}

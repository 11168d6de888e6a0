import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import { limits } from '../gas.ts';
import {
  FRAME_SIZE,
  RETURN_DATA,
  RETURN_DATA_END,
  STACKS,
  STACK_BYTES,
  account,
  frame,
  journalKind,
} from '../layout.ts';
import { journalEntry } from './accounts.ts';
import { faultCode } from './imports.ts';
import { type Runtime, copyWord, zeroWord } from './runtime.ts';

/**
 * Frames are records in linear memory, not native calls: 1,024 of them need no native stack, and an execution
 * can stop at any jump and go on later.
 */
export function declareFrames(rt: Runtime): void {
  rt.declare('enter', [I32, I32], []);
  rt.declare('pushResult', [I32, I64], []);
  rt.declare('endFrame', [I32, I32, I32, I64], [I32]);
  rt.declare('setNonce', [I32, I64], []);
  rt.declare('setReturnData', [I32, I32], []);
}

export function defineFrames(rt: Runtime): void {
  const { globals } = rt;

  // (child, memory base): the child record becomes the running frame. `slice` is the gas at which the running
  // frame pauses; the budget (gas - slice) stays the same when the caller's own gas leaves both sides.
  rt.define('enter', (a, child, memoryBase) => {
    const { i32, i64 } = a;
    const stack = i32.add(i32.mul(a.load('i32.load', child!, frame.depth), STACK_BYTES), STACKS);
    a.store('i32.store', child!, stack, frame.sp);
    a.store('i32.store', child!, a.load('i32.load', child!, frame.code), frame.pc);
    a.store('i32.store', child!, memoryBase!, frame.memoryBase);
    a.store('i32.store', child!, 0, frame.memorySize);
    a.store('i64.store', child!, a.load('i64.load', child!, frame.gasGiven), frame.gas);
    const callersGas = a.load('i64.load', a.global(globals.frame), frame.gas);
    a.setGlobal(globals.slice, i64.sub(a.global(globals.slice), callersGas));
    a.setGlobal(globals.returnSize, 0);
    a.setGlobal(globals.frame, child!);
  });

  // (result, gas): writes the result of a call to the top of the running frame's stack and hands gas back.
  rt.define('pushResult', (a, result, gas) => {
    const current = a.localI32();
    const top = a.localI32();
    a.set(current, a.global(globals.frame));
    a.set(top, a.i32.sub(a.load('i32.load', current, frame.sp), 32));
    zeroWord(a, top);
    a.store('i32.store', top, result!);
    const left = a.load('i64.load', current, frame.gas);
    a.store('i64.store', current, a.i64.add(left, gas!), frame.gas);
  });

  defineEndFrame(rt);

  rt.define('setNonce', (a, record, nonce) => {
    const entry = a.localI32();
    a.set(entry, journalEntry(rt, a, journalKind.nonce, record!));
    a.store('i64.store', entry, a.load('i64.load', record!, account.nonce), 8);
    a.store('i64.store', record!, nonce!, account.nonce);
  });

  rt.define('setReturnData', (a, bytes, size) => {
    a.when(a.i32.gtU(size!, RETURN_DATA_END - RETURN_DATA), () =>
      a.run(rt.imports.fault, faultCode('return-data')),
    );
    // The address of nothing may be anywhere, and a bulk copy checks it all the same.
    a.when(size!, () => a.copy(RETURN_DATA, bytes!, size!));
    a.setGlobal(globals.returnSize, size!);
  });
}

/**
 * (ending, output, output size, gas left) -> 1 when this was the outermost frame. Deploys code, undoes a failed
 * frame's changes, and hands output, result and gas to the caller.
 */
function defineEndFrame(rt: Runtime): void {
  const { globals } = rt;
  rt.define('endFrame', (a, ending, output, size, gas) => {
    const { i32, i64 } = a;
    const current = a.localI32();
    const created = a.localI32();
    const copied = a.localI32();
    a.set(current, a.global(globals.frame));
    a.set(created, a.load('i32.load', current, frame.created));
    a.when(i32.and(i32.ne(created, 0), i32.eqz(ending!)), () =>
      deploy(rt, a, { ending: ending!, output: output!, size: size!, gas: gas!, created }),
    );
    a.when(i32.ne(ending!, 0), () => {
      a.run(rt.function('revertTo'), a.load('i32.load', current, frame.journalMark));
      a.setGlobal(globals.logsTop, a.load('i32.load', current, frame.logsMark));
      a.setGlobal(globals.refund, a.load('i64.load', current, frame.refundMark));
      a.when(i32.gtU(ending!, 1), () => {
        a.set(gas!, 0n);
        a.set(size!, 0);
      });
    });
    if (rt.isTraced) {
      a.setGlobal(globals.gas, gas!);
      a.run(rt.imports.traceExit, ending!, output!, size!);
    }
    // A successful creation returns an address, no data.
    a.when(
      i32.and(i32.ne(created, 0), i32.eqz(ending!)),
      () => a.setGlobal(globals.returnSize, 0),
      () => a.run(rt.function('setReturnData'), output!, size!),
    );
    a.when(i32.eqz(a.load('i32.load', current, frame.depth)), () => {
      a.setGlobal(globals.ending, ending!);
      a.setGlobal(globals.gas, gas!);
      a.return(1);
    });

    const caller = a.localI32();
    a.set(caller, i32.sub(current, FRAME_SIZE));
    a.setGlobal(globals.frame, caller);
    const callersGas = a.load('i64.load', caller, frame.gas);
    a.setGlobal(globals.slice, i64.add(a.global(globals.slice), callersGas));
    a.run(rt.function('pushResult'), i32.eqz(ending!), gas!);
    a.when(
      created,
      () =>
        a.when(i32.eqz(ending!), () => {
          const top = a.localI32();
          a.set(top, i32.sub(a.load('i32.load', caller, frame.sp), 32));
          copyWord(a, top, 0, created, account.address);
        }),
      () => {
        a.set(copied, a.load('i32.load', current, frame.outputSize));
        a.set(copied, a.select(i32.ltU(copied, size!), copied, size!));
        a.when(copied, () =>
          a.copy(a.load('i32.load', current, frame.output), RETURN_DATA, copied),
        );
      },
    );
    a.return(0);
  });
}

interface Deployment {
  readonly ending: Local;
  readonly output: Local;
  readonly size: Local;
  readonly gas: Local;
  readonly created: Local;
}

/** Makes the output of init code the code of the created account. @see EIP-2, EIP-170, EIP-3541 */
function deploy(rt: Runtime, a: Assembler, d: Deployment): void {
  const { i32, i64 } = a;
  const cost = a.localI64();
  const fail = (condition: Expression, ending: number): void =>
    void a.when(i32.and(i32.eqz(d.ending), condition), () => a.set(d.ending, ending));
  const codeSizeMax = rt.at(limits.codeSize);
  if (codeSizeMax !== undefined) {
    fail(i32.gtU(d.size, codeSizeMax), rt.ending('create-code-too-large'));
  }
  if (rt.has('london')) {
    const first = a.choose(I32, d.size, a.load('i32.load8_u', d.output), 0);
    fail(i32.eq(first, 0xef), rt.ending('create-code-starts-with-ef'));
  }
  a.set(cost, i64.mul(i64.extendU(d.size), BigInt(rt.price('codeDepositByte'))));
  if (rt.has('homestead')) {
    fail(i64.ltS(d.gas, cost), rt.ending('out-of-gas'));
  } else {
    // Before EIP-2 a creation that can't pay for its code succeeds without code.
    a.when(i64.ltS(d.gas, cost), () => {
      a.set(d.size, 0);
      a.set(cost, 0n);
    });
  }
  a.when(i32.eqz(d.ending), () => {
    a.set(d.gas, i64.sub(d.gas, cost));
    a.when(d.size, () => {
      a.put(journalEntry(rt, a, journalKind.code, d.created)).f.drop();
      a.run(rt.imports.deployCode, d.created, d.output, d.size);
    });
  });
}

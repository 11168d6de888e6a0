import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import { LOGS_END, LOG_ADDRESS, LOG_HEADER_SIZE, SCRATCH, account, frame } from '../layout.ts';
import { isEmptyAccount } from './accounts.ts';
import { faultCode } from './imports.ts';
import { type Runtime, copyWord, zeroWord } from './runtime.ts';

/** Functions behind LOG and the opcodes that read accounts and copy bytes: gas left, negative if out. */
export function declareEnvironment(rt: Runtime): void {
  for (const name of ['balance', 'extcodesize', 'extcodehash', 'extcodecopy']) {
    rt.declare(name, [I32, I64], [I64]);
  }
  rt.declare('copyBytes', [I32, I32, I32, I64], [I64]);
  rt.declare('mcopy', [I32, I64], [I64]);
  rt.declare('log', [I32, I32, I64], [I64]);
  rt.declare('keccak', [I32, I64], [I64]);
  for (const name of ['blockHash', 'callDataLoad', 'checkReturnData']) rt.declare(name, [I32], []);
}

export function defineEnvironment(rt: Runtime): void {
  defineReader(rt, 'balance', (a, sp, record) => copyWord(a, sp, 0, record, account.balance));

  defineReader(rt, 'extcodesize', (a, top, record) => {
    a.run(rt.function('ensureCode'), record);
    zeroWord(a, top);
    a.store('i32.store', top, a.load('i32.load', record, account.codeSize));
  });

  defineReader(
    rt,
    'extcodehash',
    (a, top, record) =>
      void a.when(
        isEmptyAccount(a, record),
        () => zeroWord(a, top),
        () => {
          copyWord(a, top, 0, record, account.codeHash);
        },
      ),
  );

  // (sp, gas) -> gas: address, memory offset, code offset, size.
  rt.define('extcodecopy', (a, sp, gas) => {
    const record = a.localI32();
    accessTop(rt, a, sp!, gas!, record);
    a.when(a.i64.ltS(gas!, 0n), () => a.return(gas!));
    a.run(rt.function('ensureCode'), record);
    a.return(
      a.call(
        rt.function('copyBytes'),
        a.i32.sub(sp!, 32),
        a.load('i32.load', record, account.code),
        a.load('i32.load', record, account.codeSize),
        gas!,
      ),
    );
  });

  defineCopyBytes(rt);
  defineMcopy(rt);
  defineLog(rt);
  defineKeccak(rt);
  defineCallDataLoad(rt);

  rt.define('blockHash', (a, sp) => void a.run(rt.imports.blockHash, a.i32.sub(sp!, 32)));

  // (sp): offset and size of a RETURNDATACOPY must lie inside the data. @see EIP-211
  rt.define('checkReturnData', (a, sp) => {
    const { i64 } = a;
    const limb = (word: number, index: number): Expression =>
      a.load('i64.load', a.i32.sub(sp!, 32 * (word + 1)), 8 * index);
    const high = [1, 2].flatMap((word) => [
      limb(word, 1),
      limb(word, 2),
      limb(word, 3),
      i64.shrU(limb(word, 0), 32n),
    ]);
    const isSmall = i64.eqz(high.reduce((left, right) => i64.or(left, right)));
    const size = i64.extendU(a.global(rt.globals.returnSize));
    const isInside = i64.leU(i64.add(limb(1, 0), limb(2, 0)), size);
    a.setGlobal(rt.globals.isInBounds, a.i32.and(isSmall, isInside));
  });
}

/** (sp, gas) -> gas: offset and size; the digest replaces the size. */
function defineKeccak(rt: Runtime): void {
  rt.define('keccak', (a, sp, gas) => {
    const { i32, i64 } = a;
    const size = a.localI32();
    const digest = [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
    const word = (index: number): Expression => i32.sub(sp!, 32 * (index + 1));
    const end = a.call(rt.function('range'), word(0), word(1));
    a.set(gas!, a.call(rt.function('expand'), end, gas!));
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));
    a.set(size, a.load('i32.load', word(1)));
    chargeWords(a, gas!, size, rt.price('keccakWord'));
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));
    const base = a.load('i32.load', a.global(rt.globals.frame), frame.memoryBase);
    const bytes = i32.add(base, a.load('i32.load', word(0)));
    a.callInto(digest, rt.function('digest'), bytes, size);
    digest.forEach((limb, i) => a.store('i64.store', word(1), limb, 8 * i));
    a.return(gas!);
  });
}

/** (sp): replaces an offset by 32 bytes of input; what lies past its end is zero. */
function defineCallDataLoad(rt: Runtime): void {
  rt.define('callDataLoad', (a, sp) => {
    const { i32, i64 } = a;
    const top = a.localI32();
    const offset = a.localI32();
    const size = a.localI32();
    const source = a.localI32();
    const current = a.global(rt.globals.frame);
    a.set(top, i32.sub(sp!, 32));
    a.set(size, a.load('i32.load', current, frame.inputSize));
    const high = [8, 16, 24]
      .map((limb) => a.load('i64.load', top, limb))
      .reduce((left, right) => i64.or(left, right));
    const isBeyond = i32.or(i64.ne(high, 0n), i64.geU(a.load('i64.load', top), i64.extendU(size)));
    a.when(isBeyond, () => {
      zeroWord(a, top);
      a.return();
    });
    a.set(offset, a.load('i32.load', top));
    a.set(source, i32.add(a.load('i32.load', current, frame.input), offset));
    a.when(i32.ltU(i32.sub(size, offset), 32), () => {
      const input = a.load('i32.load', current, frame.input);
      a.run(rt.function('copyPadded'), SCRATCH, input, size, offset, 32);
      a.set(source, SCRATCH);
    });
    copyReversed(a, top, 0, source, 0);
  });
}

/** Copies 32 bytes in reverse order: big-endian bytes to a stored word, or back. The two may be the same. */
export function copyReversed(
  a: Assembler,
  destination: Expression,
  destinationOffset: number,
  source: Expression,
  sourceOffset: number,
): void {
  const halves = [a.localV128(), a.localV128()] as const;
  halves.forEach((half, i) => {
    a.put(source).f.v128Load(sourceOffset + 16 * i);
    a.f.tee(half.index).get(half.index).i8x16Shuffle(REVERSE).set(half.index);
  });
  halves.forEach((half, i) => {
    a.put(destination)
      .put(half)
      .f.v128Store(destinationOffset + 16 * (1 - i));
  });
}

const REVERSE = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
/** An opcode that replaces an address by something of its account. */
function defineReader(
  rt: Runtime,
  name: string,
  read: (a: Assembler, top: Local, record: Local) => void,
): void {
  rt.define(name, (a, sp, gas) => {
    const record = a.localI32();
    const top = a.localI32();
    accessTop(rt, a, sp!, gas!, record);
    a.when(a.i64.ltS(gas!, 0n), () => a.return(gas!));
    a.set(top, a.i32.sub(sp!, 32));
    read(a, top, record);
    a.return(gas!);
  });
}

function accessTop(rt: Runtime, a: Assembler, sp: Local, gas: Local, record: Local): void {
  const { i32, i64 } = a;
  const limb = (index: number): Expression => a.load('i64.load', i32.sub(sp, 32), 8 * index);
  a.callInto(
    [record, gas],
    rt.function('accessAccount'),
    limb(0),
    limb(1),
    i64.and(limb(2), 0xffff_ffffn),
    gas,
  );
}

/**
 * (sp, source, source size, gas) -> gas: CALLDATACOPY and its kin: memory offset, source offset, size on the
 * stack. Bytes past the source are zero.
 */
function defineCopyBytes(rt: Runtime): void {
  rt.define('copyBytes', (a, sp, source, sourceSize, gas) => {
    const { i32, i64 } = a;
    const end = a.localI64();
    const size = a.localI32();
    const offset = a.localI32();
    const word = (index: number): Expression => i32.sub(sp!, 32 * (index + 1));
    a.set(end, a.call(rt.function('range'), word(0), word(2)));
    a.set(gas!, a.call(rt.function('expand'), end, gas!));
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));
    a.set(size, a.load('i32.load', word(2)));
    a.when(i32.eqz(size), () => a.return(gas!));
    chargeWords(a, gas!, size, rt.price('copyWord'));
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));
    const high = i64.or(
      i64.or(a.load('i64.load', word(1), 8), a.load('i64.load', word(1), 16)),
      i64.or(a.load('i64.load', word(1), 24), i64.shrU(a.load('i64.load', word(1)), 32n)),
    );
    a.set(offset, a.load('i32.load', word(1)));
    const isBeyond = i32.or(i64.ne(high, 0n), i32.gtU(offset, sourceSize!));
    a.set(offset, a.select(isBeyond, sourceSize!, offset));
    const destination = i32.add(
      a.load('i32.load', a.global(rt.globals.frame), frame.memoryBase),
      a.load('i32.load', word(0)),
    );
    a.run(rt.function('copyPadded'), destination, source!, sourceSize!, offset, size);
    a.return(gas!);
  });
}

/** (sp, gas) -> gas: destination, source, size, both in memory. @see EIP-5656 */
function defineMcopy(rt: Runtime): void {
  rt.define('mcopy', (a, sp, gas) => {
    const { i32, i64 } = a;
    const size = a.localI32();
    const base = a.localI32();
    const word = (index: number): Expression => i32.sub(sp!, 32 * (index + 1));
    for (const start of [0, 1]) {
      const end = a.call(rt.function('range'), word(start), word(2));
      a.set(gas!, a.call(rt.function('expand'), end, gas!));
      a.when(i64.ltS(gas!, 0n), () => a.return(gas!));
    }
    a.set(size, a.load('i32.load', word(2)));
    chargeWords(a, gas!, size, rt.price('copyWord'));
    a.when(i32.or(i64.ltS(gas!, 0n), i32.eqz(size)), () => a.return(gas!));
    a.set(base, a.load('i32.load', a.global(rt.globals.frame), frame.memoryBase));
    const at = (index: number): Expression => i32.add(base, a.load('i32.load', word(index)));
    a.copy(at(0), at(1), size);
    a.return(gas!);
  });
}

/** (sp, topic count, gas) -> gas: memory offset, size, topics. Static frames have been refused. */
function defineLog(rt: Runtime): void {
  rt.define('log', (a, sp, topicCount, gas) => {
    const { i32, i64 } = a;
    const size = a.localI32();
    const record = a.localI32();
    const at = a.localI32();
    const topic = a.localI32();
    const left = a.localI32();
    const word = (index: number): Expression => i32.sub(sp!, 32 * (index + 1));
    const end = a.call(rt.function('range'), word(0), word(1));
    a.set(gas!, a.call(rt.function('expand'), end, gas!));
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));
    a.set(size, a.load('i32.load', word(1)));
    a.set(gas!, i64.sub(gas!, i64.mul(i64.extendU(size), BigInt(rt.price('logByte')))));
    a.when(i64.ltS(gas!, 0n), () => a.return(gas!));

    a.set(record, a.global(rt.globals.logsTop));
    a.when(i32.geU(i32.add(i32.add(record, size), 256), LOGS_END), () =>
      a.run(rt.imports.fault, faultCode('logs')),
    );
    a.store('i32.store', record, size, 0);
    a.store('i32.store', record, topicCount!, 4);
    const self = a.load('i32.load', a.global(rt.globals.frame), frame.self);
    copyWord(a, record, LOG_ADDRESS, self, account.address);
    a.set(at, i32.add(record, LOG_HEADER_SIZE));
    a.set(topic, word(2));
    a.set(left, topicCount!);
    a.while(left, () => {
      copyWord(a, at, 0, topic, 0);
      a.set(at, i32.add(at, 32));
      a.set(topic, i32.sub(topic, 32));
      a.set(left, i32.sub(left, 1));
    });
    a.when(size, () => {
      const base = a.load('i32.load', a.global(rt.globals.frame), frame.memoryBase);
      a.copy(at, i32.add(base, a.load('i32.load', word(0))), size);
    });
    a.setGlobal(rt.globals.logsTop, i32.and(i32.add(i32.add(at, size), 7), -8));
    if (rt.isTraced) a.run(rt.imports.traceLog, record);
    a.return(gas!);
  });
}

/** Charges a price a word of `size` bytes. */
export function chargeWords(a: Assembler, gas: Local, size: Expression, price: number): void {
  const { i64 } = a;
  const words = i64.shrU(i64.add(i64.extendU(size), 31n), 5n);
  a.set(gas, i64.sub(gas, i64.mul(words, BigInt(price))));
}

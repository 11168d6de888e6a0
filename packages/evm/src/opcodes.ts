import { WideMultiplier } from '@polyvisor/math/wide';
import type { Expression } from '@polyvisor/wasm/assembler';
import { I64 } from '@polyvisor/wasm/types';
import { type Schedule, valueAt } from './gas.ts';
import type { Hardfork } from './hardfork.ts';
import { BLOB_HASHES, RETURN_DATA, account, contextAddress, frame } from './layout.ts';
import type { OpEmitter } from './op-emitter.ts';
import * as reference from './reference.ts';
import {
  byteOf,
  countLeadingZeros,
  shiftLeft,
  shiftLeftBy,
  shiftRight,
  shiftRightBy,
  shiftRightSigned,
  signExtend,
} from './shifts.ts';
import { ONE, type Word, ZERO, constantValue, constantWord } from './word.ts';

/**
 * The instruction set of the EVM: one row an opcode. Interpreter, disassembler, reference and manual come from it.
 * `gas` is the fixed price, on top of which an instruction's own code charges what depends on its operands.
 * @see execution-specs, src/ethereum/forks/<fork>/vm/instructions; Yellow Paper, appendix H.2
 */
export interface Opcode {
  readonly code: number;
  readonly name: string;
  readonly pops: number;
  readonly pushes: number;
  readonly since: Hardfork;
  readonly gas: Schedule;
  /** Bytes of operand behind the opcode. */
  readonly immediate: number;
  /** What every tier does by itself, having its own idea of the stack. */
  readonly shape: 'plain' | 'push' | 'pop' | 'dup' | 'swap' | 'jumpdest';
  /** For DUP and SWAP: which. */
  readonly index: number;
  readonly emit: ((e: OpEmitter) => void) | undefined;
  /** What a pure instruction computes, in plain numbers. */
  readonly evaluate: ((...operands: bigint[]) => bigint) | undefined;
}

type Emit = (e: OpEmitter) => void;
type Options = Partial<Pick<Opcode, 'since' | 'immediate' | 'shape' | 'index' | 'evaluate'>>;

function op(
  code: number,
  name: string,
  pops: number,
  pushes: number,
  gas: Schedule,
  emit?: Emit,
  options: Options = {},
): Opcode {
  return {
    code,
    name,
    pops,
    pushes,
    gas,
    emit,
    since: 'frontier',
    immediate: 0,
    shape: 'plain',
    index: 0,
    evaluate: undefined,
    ...options,
  };
}

/** An instruction that computes one word from one or two. */
function unary(
  code: number,
  name: string,
  gas: number,
  compute: (e: OpEmitter, x: Word) => Word,
  since: Hardfork,
  evaluate: (x: bigint) => bigint,
): Opcode {
  return op(code, name, 1, 1, gas, (e) => e.push(compute(e, e.pop())), { since, evaluate });
}

function binary(
  code: number,
  name: string,
  gas: number,
  compute: (e: OpEmitter, x: Word, y: Word) => Word,
  evaluate: (x: bigint, y: bigint) => bigint,
  since: Hardfork = 'frontier',
): Opcode {
  return op(
    code,
    name,
    2,
    1,
    gas,
    (e) => {
      const x = e.pop();
      e.push(compute(e, x, e.pop()));
    },
    { since, evaluate },
  );
}

function ternary(
  code: number,
  name: string,
  gas: number,
  kernel: 'addmod' | 'mulmod',
  evaluate: (x: bigint, y: bigint, n: bigint) => bigint,
): Opcode {
  return op(
    code,
    name,
    3,
    1,
    gas,
    (e) => {
      const x = e.pop();
      const y = e.pop();
      const n = e.pop();
      const bits = powerOfTwo(n);
      if (bits === undefined) {
        e.push(e.w.call(e.rt.kernel(kernel), x, y, n));
        return;
      }
      // 2^n divides 2^256, so what the word loses doesn't matter.
      const whole = kernel === 'addmod' ? e.w.add(x, y) : multiply(e, x, y);
      e.push(e.w.and(whole, constantWord((1n << bits) - 1n)));
    },
    { evaluate },
  );
}

/** Pushes a word of the block and transaction context. */
const contextWord =
  (name: Parameters<typeof contextAddress>[0]): Emit =>
  (e) =>
    e.pushStored(contextAddress(name));
/** Pushes a 32-bit field of the frame. */
const frameNumber =
  (offset: number): Emit =>
  (e) =>
    e.push(e.w.fromI32(e.a.load('i32.load', e.frame, offset)));
/** Pushes a word of the frame. */
const frameWord =
  (offset: number): Emit =>
  (e) =>
    e.pushStored(e.frame, offset);
/** Pushes a word of the running account. */
const selfWord =
  (offset: number): Emit =>
  (e) =>
    e.pushStored(e.a.load('i32.load', e.frame, frame.self), offset);
const stackCall =
  (name: string): Emit =>
  (e) =>
    e.stackCall(name);
const invoke =
  (name: string): Emit =>
  (e) =>
    e.invoke(name);

/** Copies from a source that frame fields describe. */
const copyFrom =
  (source: number, size: number): Emit =>
  (e) =>
    e.stackCall(
      'copyBytes',
      e.a.load('i32.load', e.frame, source),
      e.a.load('i32.load', e.frame, size),
    );

/** Prices of what reads an account: EIP-150, EIP-1884, EIP-2929 (the warm price; a cold access costs more). */
const accountAccess = { frontier: 20, tangerineWhistle: 700, berlin: 100 };
const callGas = { frontier: 40, tangerineWhistle: 700, berlin: 100 };

/** A row for each of `count` siblings. */
function each(count: number, row: (index: number) => Opcode): Opcode[] {
  return Array.from({ length: count }, (_, index) => row(index));
}

function logCall(topics: number): Emit {
  return (e) => {
    refuseStatic(e);
    e.stackCall('log', topics);
  };
}

// oxfmt-ignore
const rows: readonly Opcode[] = [
  op(0x00, 'STOP', 0, 0, 0, (e) => e.end('success', false)),
  binary(0x01, 'ADD', 3, (e, x, y) => e.w.add(x, y), reference.add),
  binary(0x02, 'MUL', 5, multiply, reference.mul),
  binary(0x03, 'SUB', 3, (e, x, y) => e.w.sub(x, y), reference.sub),
  binary(0x04, 'DIV', 5, divide('udiv', 'i64.div_u'), reference.div),
  binary(0x05, 'SDIV', 5, divide('sdiv', 'i64.div_u'), reference.sdiv),
  binary(0x06, 'MOD', 5, divide('umod', 'i64.rem_u'), reference.mod),
  binary(0x07, 'SMOD', 5, divide('smod', 'i64.rem_u'), reference.smod),
  ternary(0x08, 'ADDMOD', 8, 'addmod', reference.addmod),
  ternary(0x09, 'MULMOD', 8, 'mulmod', reference.mulmod),
  op(0x0a, 'EXP', 2, 1, 10, emitExp, { evaluate: reference.exp }),
  binary(0x0b, 'SIGNEXTEND', 5, (e, x, y) => signExtend(e.w, x, y), reference.signextend),

  binary(0x10, 'LT', 3, (e, x, y) => e.w.fromI32(e.w.isBelow(x, y)), reference.lt),
  binary(0x11, 'GT', 3, (e, x, y) => e.w.fromI32(e.w.isBelow(y, x)), reference.gt),
  binary(0x12, 'SLT', 3, (e, x, y) => e.w.fromI32(e.w.isBelow(x, y, true)), reference.slt),
  binary(0x13, 'SGT', 3, (e, x, y) => e.w.fromI32(e.w.isBelow(y, x, true)), reference.sgt),
  binary(0x14, 'EQ', 3, (e, x, y) => e.w.fromI32(e.w.isEqual(x, y)), reference.eq),
  unary(0x15, 'ISZERO', 3, (e, x) => e.w.fromI32(e.w.isZero(x)), 'frontier', reference.iszero),
  binary(0x16, 'AND', 3, (e, x, y) => e.w.and(x, y), reference.and),
  binary(0x17, 'OR', 3, (e, x, y) => e.w.or(x, y), reference.or),
  binary(0x18, 'XOR', 3, (e, x, y) => e.w.xor(x, y), reference.xor),
  unary(0x19, 'NOT', 3, (e, x) => e.w.not(x), 'frontier', reference.not),
  binary(0x1a, 'BYTE', 3, (e, x, y) => byteOf(e.w, x, y), reference.byte),
  binary(0x1b, 'SHL', 3, (e, x, y) => shiftLeft(e.w, x, y), reference.shl, 'constantinople'),
  binary(0x1c, 'SHR', 3, (e, x, y) => shiftRight(e.w, x, y), reference.shr, 'constantinople'),
  binary(0x1d, 'SAR', 3, (e, x, y) => shiftRightSigned(e.w, x, y), reference.sar, 'constantinople'),
  unary(0x1e, 'CLZ', 5, (e, x) => countLeadingZeros(e.w, x), 'osaka', reference.clz),

  op(0x20, 'KECCAK256', 2, 1, 30, stackCall('keccak')),

  op(0x30, 'ADDRESS', 0, 1, 2, selfWord(account.address)),
  op(0x31, 'BALANCE', 1, 1, { ...accountAccess, tangerineWhistle: 400, istanbul: 700 }, stackCall('balance')),
  op(0x32, 'ORIGIN', 0, 1, 2, contextWord('origin')),
  op(0x33, 'CALLER', 0, 1, 2, frameWord(frame.caller)),
  op(0x34, 'CALLVALUE', 0, 1, 2, frameWord(frame.value)),
  op(0x35, 'CALLDATALOAD', 1, 1, 3, (e) => e.loadInput()),
  op(0x36, 'CALLDATASIZE', 0, 1, 2, frameNumber(frame.inputSize)),
  op(0x37, 'CALLDATACOPY', 3, 0, 3, copyFrom(frame.input, frame.inputSize)),
  op(0x38, 'CODESIZE', 0, 1, 2, frameNumber(frame.codeSize)),
  op(0x39, 'CODECOPY', 3, 0, 3, copyFrom(frame.code, frame.codeSize)),
  op(0x3a, 'GASPRICE', 0, 1, 2, contextWord('gasPrice')),
  op(0x3b, 'EXTCODESIZE', 1, 1, accountAccess, stackCall('extcodesize')),
  op(0x3c, 'EXTCODECOPY', 4, 0, accountAccess, stackCall('extcodecopy')),
  op(0x3d, 'RETURNDATASIZE', 0, 1, 2, (e) => e.push(e.w.fromI32(e.a.global(e.rt.global('returnSize')))), { since: 'byzantium' }),
  op(0x3e, 'RETURNDATACOPY', 3, 0, 3, emitReturnDataCopy, { since: 'byzantium' }),
  op(0x3f, 'EXTCODEHASH', 1, 1, { constantinople: 400, istanbul: 700, berlin: 100 }, stackCall('extcodehash'), { since: 'constantinople' }),

  op(0x40, 'BLOCKHASH', 1, 1, 20, (e) => e.stackRun('blockHash')),
  op(0x41, 'COINBASE', 0, 1, 2, contextWord('coinbase')),
  op(0x42, 'TIMESTAMP', 0, 1, 2, contextWord('timestamp')),
  op(0x43, 'NUMBER', 0, 1, 2, contextWord('number')),
  op(0x44, 'PREVRANDAO', 0, 1, 2, contextWord('prevRandao')),
  op(0x45, 'GASLIMIT', 0, 1, 2, contextWord('gasLimit')),
  op(0x46, 'CHAINID', 0, 1, 2, contextWord('chainId'), { since: 'istanbul' }),
  op(0x47, 'SELFBALANCE', 0, 1, 5, selfWord(account.balance), { since: 'istanbul' }),
  op(0x48, 'BASEFEE', 0, 1, 2, contextWord('baseFee'), { since: 'london' }),
  op(0x49, 'BLOBHASH', 1, 1, 3, emitBlobHash, { since: 'cancun' }),
  op(0x4a, 'BLOBBASEFEE', 0, 1, 2, contextWord('blobBaseFee'), { since: 'cancun' }),

  op(0x50, 'POP', 1, 0, 2, undefined, { shape: 'pop' }),
  op(0x51, 'MLOAD', 1, 1, 3, (e) => e.pushBigEndian(e.memory(e.pop(), 32))),
  op(0x52, 'MSTORE', 2, 0, 3, (e) => e.popBigEndian(e.memory(e.pop(), 32))),
  op(0x53, 'MSTORE8', 2, 0, 3, (e) => {
    const address = e.memory(e.pop(), 1);
    e.a.store('i64.store8', address, e.pop()[0]);
  }),
  op(0x54, 'SLOAD', 1, 1, { frontier: 50, tangerineWhistle: 200, istanbul: 800, berlin: 100 }, stackCall('sload')),
  op(0x55, 'SSTORE', 2, 0, 0, (e) => { refuseStatic(e); e.stackCall('sstore'); }),
  op(0x56, 'JUMP', 1, 0, 8, (e) => e.jump(e.pop())),
  op(0x57, 'JUMPI', 2, 0, 10, (e) => {
    const destination = e.pop();
    e.jumpIf(destination, e.pop());
  }),
  op(0x58, 'PC', 0, 1, 2, (e) => e.push(e.w.fromI32(e.pc))),
  op(0x59, 'MSIZE', 0, 1, 2, frameNumber(frame.memorySize)),
  op(0x5a, 'GAS', 0, 1, 2, (e) => e.push(e.w.fromI64(e.gas))),
  op(0x5b, 'JUMPDEST', 0, 0, 1, undefined, { shape: 'jumpdest' }),
  op(0x5c, 'TLOAD', 1, 1, 100, (e) => e.stackRun('tload'), { since: 'cancun' }),
  op(0x5d, 'TSTORE', 2, 0, 100, (e) => { refuseStatic(e); e.checkGas(); e.stackRun('tstore'); }, { since: 'cancun' }),
  op(0x5e, 'MCOPY', 3, 0, 3, stackCall('mcopy'), { since: 'cancun' }),
  op(0x5f, 'PUSH0', 0, 1, 2, (e) => e.push(ZERO), { since: 'shanghai' }),

  ...each(32, (i) => op(0x60 + i, `PUSH${i + 1}`, 0, 1, 3, undefined, { shape: 'push', immediate: i + 1 })),
  ...each(16, (i) => op(0x80 + i, `DUP${i + 1}`, i + 1, i + 2, 3, undefined, { shape: 'dup', index: i + 1 })),
  ...each(16, (i) => op(0x90 + i, `SWAP${i + 1}`, i + 2, i + 2, 3, undefined, { shape: 'swap', index: i + 1 })),
  ...each(5, (i) => op(0xa0 + i, `LOG${i}`, i + 2, 0, 375 * (i + 1), logCall(i))),

  op(0xf0, 'CREATE', 3, 1, 32000, invoke('CREATE')),
  op(0xf1, 'CALL', 7, 1, callGas, invoke('CALL')),
  op(0xf2, 'CALLCODE', 7, 1, callGas, invoke('CALLCODE')),
  op(0xf3, 'RETURN', 2, 0, 0, (e) => e.end('success', true)),
  op(0xf4, 'DELEGATECALL', 6, 1, callGas, invoke('DELEGATECALL'), { since: 'homestead' }),
  op(0xf5, 'CREATE2', 4, 1, 32000, invoke('CREATE2'), { since: 'constantinople' }),
  op(0xfa, 'STATICCALL', 6, 1, callGas, invoke('STATICCALL'), { since: 'byzantium' }),
  op(0xfd, 'REVERT', 2, 0, 0, (e) => e.end('revert', true), { since: 'byzantium' }),
  op(0xff, 'SELFDESTRUCT', 1, 0, { frontier: 0, tangerineWhistle: 5000 }, (e) => {
    refuseStatic(e);
    e.stackCall('selfdestruct');
    e.end('success', false);
  }),
];

/** The opcodes by code, 256 entries; undefined where the set has a gap. INVALID (0xfe) is one of the gaps. */
export const opcodes: readonly (Opcode | undefined)[] = byCode();

function byCode(): (Opcode | undefined)[] {
  const table: (Opcode | undefined)[] = Array.from({ length: 256 });
  for (const row of rows) table[row.code] = row;
  return table;
}

/** The fixed price of an opcode at a fork. */
export function opcodeGas(opcode: Opcode, fork: Hardfork): number {
  return valueAt<number>(opcode.gas, fork) ?? 0;
}

type Compute = (e: OpEmitter, x: Word, y: Word) => Word;

function multiply(e: OpEmitter, x: Word, y: Word): Word {
  for (const [known, other] of [
    [x, y],
    [y, x],
  ] as const) {
    const bits = powerOfTwo(known);
    if (bits !== undefined) return shiftLeftBy(e.w, bits, other);
  }
  return e.w.callUnlessSmall(
    () => e.rt.kernel('mul'),
    x,
    y,
    2,
    (low, high) => {
      const [p, q] = [e.w.limb(x[0]), e.w.limb(y[0])];
      new WideMultiplier(e.a).multiply(p, q, low, high);
    },
  );
}

/** Numbers of 64 bits are never negative, so the signed divisions share the short way. */
function divide(
  kernel: 'udiv' | 'umod' | 'sdiv' | 'smod',
  short: 'i64.div_u' | 'i64.rem_u',
): Compute {
  return (e, x, y) => {
    const bits = powerOfTwo(y);
    if (bits !== undefined && kernel === 'udiv') return shiftRightBy(e.w, bits, x, 0n);
    if (bits !== undefined && kernel === 'umod') return e.w.and(x, constantWord((1n << bits) - 1n));
    return e.w.callUnlessSmall(
      () => e.rt.kernel(kernel),
      x,
      y,
      1,
      (low) => {
        const quotient: Expression = () => e.a.put(x[0]).put(y[0]).f.op(short);
        e.a.set(low, e.a.choose(I64, e.a.i64.eqz(y[0]), 0n, quotient));
      },
    );
  };
}

/** n for a constant 2^n. */
function powerOfTwo(word: Word): bigint | undefined {
  const value = constantValue(word);
  if (value === undefined || value === 0n || (value & (value - 1n)) !== 0n) return undefined;
  return BigInt(reference.bitLength(value) - 1);
}

function refuseStatic(e: OpEmitter): void {
  if (!e.rt.has('byzantium')) return;
  e.haltIf(e.a.load('i32.load', e.frame, frame.isStatic), 'static-state-change');
}

/** EXP pays for each byte of the exponent. @see EIP-160 */
function emitExp(e: OpEmitter): void {
  const { i64 } = e.a;
  const base = e.pop();
  const exponent = e.pop();
  const [knownBase, known] = [constantValue(base), constantValue(exponent)];
  if (knownBase !== undefined && known !== undefined) {
    const size = Math.ceil(reference.bitLength(known) / 8);
    e.charge(BigInt(size * e.rt.price('expByte')));
    e.push(constantWord(reference.exp(knownBase, known)));
    return;
  }
  const zeros = countLeadingZeros(e.w, exponent)[0];
  const bytes = i64.shrU(i64.sub(256n + 7n, zeros), 3n);
  e.charge(i64.mul(bytes, BigInt(e.rt.price('expByte'))));
  const bits = powerOfTwo(base);
  if (bits === undefined || bits === 0n) {
    e.push(e.w.call(e.rt.kernel('exp'), base, exponent));
    return;
  }
  // (2^n)^x = 2^(n x), which from x = 256 on has no bit in the word.
  const isFar = e.a.i32.or(i64.gtU(exponent[0], 255n), i64.ne(e.w.orOfLimbs(exponent, 1), 0n));
  const distance = e.w.limb(i64.mul(e.a.select(isFar, 256n, exponent[0]), bits));
  e.push(shiftLeft(e.w, [distance, 0n, 0n, 0n], ONE));
}

function emitReturnDataCopy(e: OpEmitter): void {
  e.stackRun('checkReturnData');
  e.haltIf(e.a.i32.eqz(e.a.global(e.rt.global('isInBounds'))), 'return-data-out-of-bounds');
  e.stackCall('copyBytes', RETURN_DATA, e.a.global(e.rt.global('returnSize')));
}

function emitBlobHash(e: OpEmitter): void {
  const { i32, i64 } = e.a;
  const index = e.pop();
  const count = e.a.load('i64.load', 0, contextAddress('blobCount'));
  const isInside = i32.and(i64.ltU(index[0], count), i64.eqz(e.w.orOfLimbs(index, 1)));
  // Past the last one stands a zero word.
  const at = e.a.select(isInside, index[0], count);
  e.pushStored(i32.add(BLOB_HASHES, i32.shl(i32.wrap(at), 5)));
}

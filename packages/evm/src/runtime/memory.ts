import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import { frame } from '../layout.ts';
import { faultCode } from './imports.ts';
import type { Runtime } from './runtime.ts';

/** Below this many bytes a loop of stores is faster than a call of the bulk fill. */
const FILL_LOOP_BYTES_MAX = 256;
/** The linear memory grows by at least this many pages of 64 KiB, so that growing is rare. */
const GROW_PAGES_MIN = 64;

export function declareMemory(rt: Runtime): void {
  rt.declare('expand', [I64, I64], [I64]);
  rt.declare('range', [I32, I32], [I64]);
  rt.declare('reserve', [I32], []);
  rt.declare('copyPadded', [I32, I32, I32, I32, I32], []);
  rt.declare('findJumpdests', [I32, I32, I32], []);
}

export function defineMemory(rt: Runtime): void {
  defineExpand(rt);

  // (offset word, size word) -> end of the range in bytes: 0 for an empty one, -1 for one that no gas can buy.
  rt.define('range', (a, offset, size) => {
    const { i64 } = a;
    const high = (word: Local): Expression =>
      i64.or(
        i64.or(a.load('i64.load', word, 8), a.load('i64.load', word, 16)),
        i64.or(a.load('i64.load', word, 24), i64.shrU(a.load('i64.load', word), 32n)),
      );
    a.when(i64.eqz(i64.or(high(size!), a.load('i64.load', size!))), () => a.return(0n));
    a.when(i64.ne(i64.or(high(size!), high(offset!)), 0n), () => a.return(-1n));
    a.return(i64.add(a.load('i64.load', offset!), a.load('i64.load', size!)));
  });

  // Makes frame memory up to `end` addressable.
  rt.define('reserve', (a, end) => {
    const { i32 } = a;
    const missing = a.localI32();
    a.when(i32.gtU(end!, a.global(rt.globals.memoryLimit)), () =>
      a.run(rt.imports.fault, faultCode('memory-limit')),
    );
    a.set(
      missing,
      i32.sub(i32.add(i32.shrU(end!, 16), 1), () => a.f.memorySize()),
    );
    // Signed: usually negative, the memory being larger than needed.
    a.when(i32.ltS(0, missing), () => {
      const pages = a.select(i32.ltU(missing, GROW_PAGES_MIN), GROW_PAGES_MIN, missing);
      a.put(pages).f.memoryGrow();
      a.f.i32(-1).op('i32.eq').if();
      a.put(missing).f.memoryGrow();
      a.f.i32(-1).op('i32.eq').if();
      a.run(rt.imports.fault, faultCode('memory-limit'));
      a.f.end().end();
    });
    const pageEnd = i32.add(i32.or(end!, 0xffff), 1);
    const limit = a.global(rt.globals.memoryLimit);
    a.setGlobal(rt.globals.reservedTop, a.select(i32.ltU(pageEnd, limit), pageEnd, limit));
  });

  // Copies `size` bytes from `source + offset`, reading zeros past `sourceSize`; an offset beyond the source
  // comes clamped to its size.
  rt.define('copyPadded', (a, destination, source, sourceSize, offset, size) => {
    const { i32 } = a;
    const available = a.localI32();
    a.set(available, i32.sub(sourceSize!, offset!));
    a.set(available, a.select(i32.ltU(size!, available), size!, available));
    a.when(available, () => a.copy(destination!, i32.add(source!, offset!), available));
    a.when(i32.gtU(size!, available), () =>
      a.fill(i32.add(destination!, available), 0, i32.sub(size!, available)),
    );
  });

  // Marks the JUMPDESTs of `size` bytes of code in the map, whose bytes may be anything before.
  rt.define('findJumpdests', (a, code, size, map) => {
    const { i32 } = a;
    const at = a.localI32();
    const opcode = a.localI32();
    a.fill(map!, 0, i32.add(size!, 1));
    a.while(i32.ltU(at, size!), () => {
      a.set(opcode, a.load('i32.load8_u', i32.add(code!, at)));
      a.when(i32.eq(opcode, 0x5b), () => a.store('i32.store8', i32.add(map!, at), 1));
      const isPush = i32.ltU(i32.sub(opcode, 0x60), 32);
      a.set(at, i32.add(at, a.select(isPush, i32.sub(opcode, 0x5e), 1)));
    });
  });
}

/**
 * (end, gas) -> gas, negative when out of gas. Grows the running frame's memory to hold bytes below `end` and
 * charges for it; the new bytes are zero. @see Yellow Paper, appendix H.1, C_mem
 */
function defineExpand(rt: Runtime): void {
  rt.define('expand', (a, end, gas) => {
    const { i32, i64 } = a;
    const current = a.localI32();
    const sizeNow = a.localI32();
    const size = a.localI32();
    const words = a.localI64();
    const wordsNow = a.localI64();
    const base = a.localI32();
    const from = a.localI32();
    const to = a.localI32();
    a.set(current, a.global(rt.globals.frame));
    a.set(sizeNow, a.load('i32.load', current, frame.memorySize));
    a.when(i64.leU(end!, i64.extendU(sizeNow)), () => a.return(gas!));
    // Unsigned, so -1 from `range` lands here too: 2^32 bytes cost 2^45 gas and cannot be addressed.
    a.rarely(i64.gtU(end!, 0xffff_ffe0n), () => a.return(-1n));
    a.set(words, i64.shrU(i64.add(end!, 31n), 5n));
    a.set(wordsNow, i64.extendU(i32.shrU(sizeNow, 5)));
    const cost = (count: Local): Expression =>
      i64.add(
        i64.mul(count, BigInt(rt.price('memoryWord'))),
        i64.divU(i64.mul(count, count), BigInt(rt.price('memoryQuadDivisor'))),
      );
    a.set(gas!, i64.sub(gas!, i64.sub(cost(words), cost(wordsNow))));
    a.rarely(i64.ltS(gas!, 0n), () => a.return(gas!));

    a.set(size, i32.wrap(i64.shl(words, 5n)));
    a.set(base, a.load('i32.load', current, frame.memoryBase));
    a.set(from, i32.add(base, sizeNow));
    a.set(to, i32.add(base, size));
    // Past 4 GiB the address wraps: more than any limit of the engine.
    a.rarely(i32.ltU(to, base), () => a.run(rt.imports.fault, faultCode('memory-limit')));
    a.rarely(i32.gtU(to, a.global(rt.globals.reservedTop)), () =>
      a.run(rt.function('reserve'), to),
    );
    a.store('i32.store', current, size, frame.memorySize);
    clear(rt, a, from, to);
    a.return(gas!);
  });
}

/** Zeroes the part of [from, to) that an earlier frame may have written, and notes the new high-water mark. */
function clear(rt: Runtime, a: Assembler, from: Local, to: Local): void {
  const { i32 } = a;
  const dirty = a.localI32();
  const end = a.localI32();
  a.set(dirty, a.global(rt.globals.dirtyTop));
  a.set(end, a.select(i32.ltU(to, dirty), to, dirty));
  a.when(i32.gtU(to, dirty), () => a.setGlobal(rt.globals.dirtyTop, to));
  a.when(i32.ltU(from, end), () =>
    a.when(
      i32.leU(i32.sub(end, from), FILL_LOOP_BYTES_MAX),
      () => {
        // Both ends are multiples of 32 above the frame's base.
        a.repeat(
          () => {
            // Vectors, as code loads from it next: a load can't be served from two narrower stores.
            for (const offset of [0, 16]) a.put(from).put(0n).f.i64x2Splat().v128Store(offset);
            a.set(from, i32.add(from, 32));
          },
          i32.ltU(from, end),
        );
      },
      () => void a.fill(from, 0, i32.sub(end, from)),
    ),
  );
}

/** First free address behind the running frame's memory, aligned for the next frame's. */
export function memoryEnd(a: Assembler, current: Expression): Expression {
  const end = a.i32.add(
    a.load('i32.load', current, frame.memoryBase),
    a.load('i32.load', current, frame.memorySize),
  );
  return a.i32.and(a.i32.add(end, 63), -64);
}

/** Notes that frame memory up to `end` is written. */
export function markDirty(rt: Runtime, a: Assembler, end: Local): void {
  a.when(a.i32.gtU(end, a.global(rt.globals.dirtyTop)), () =>
    a.setGlobal(rt.globals.dirtyTop, end),
  );
}

import type { Assembler, Expression, Local } from '@polyvisor/wasm/assembler';
import { I32, I64 } from '@polyvisor/wasm/types';
import { DIGESTS, DIGESTS_BITS, DIGEST_SIZE, digest } from '../layout.ts';
import { hashLimbs } from './accounts.ts';
import type { Runtime } from './runtime.ts';

export function declareDigests(rt: Runtime): void {
  rt.declare('digest', [I32, I32], [I64, I64, I64, I64]);
}

/**
 * (bytes, size) -> Keccak-256 as a word. Contracts hash the keys of their mappings again and again: the last digest of
 * each of many preimages of one or two words is kept, to be found without hashing.
 */
export function defineDigests(rt: Runtime): void {
  rt.define('digest', (a, bytes, size) => {
    const { i32, i64 } = a;
    const preimage = Array.from({ length: 8 }, () => a.localI64());
    const record = a.localI32();
    const out = [a.localI64(), a.localI64(), a.localI64(), a.localI64()];
    const compute = (): void => void a.callInto(out, rt.keccak, bytes!, size!);
    const isShort = i32.or(i32.eq(size!, 32), i32.eq(size!, 64));
    a.when(i32.eqz(isShort), () => {
      compute();
      a.return(...out);
    });
    load(a, bytes!, preimage.slice(0, 4), 0);
    a.when(i32.eq(size!, 64), () => load(a, bytes!, preimage.slice(4), 32));
    const index = hashLimbs(a, [...preimage, i64.extendU(size!)], DIGESTS_BITS);
    a.set(record, i32.add(i32.mul(index, DIGEST_SIZE), DIGESTS));
    const differences: Expression = preimage
      .map((limb, i) => i64.xor(limb, a.load('i64.load', record, digest.preimage + 8 * i)))
      .reduce((x, y) => i64.or(x, y));
    const isKnown = i32.and(
      i64.eqz(differences),
      i32.eq(a.load('i32.load', record, digest.size), size!),
    );
    a.when(
      isKnown,
      () => load(a, record, out, digest.value),
      () => {
        compute();
        store(a, record, preimage, digest.preimage);
        store(a, record, out, digest.value);
        a.store('i32.store', record, size!, digest.size);
      },
    );
    a.return(...out);
  });
}

function load(a: Assembler, address: Local, limbs: readonly Local[], offset: number): void {
  limbs.forEach((limb, i) => a.set(limb, a.load('i64.load', address, offset + 8 * i)));
}

function store(a: Assembler, address: Local, limbs: readonly Local[], offset: number): void {
  limbs.forEach((limb, i) => a.store('i64.store', address, limb, offset + 8 * i));
}

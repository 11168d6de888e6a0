import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type U256Kernels, emitU256 } from './u256-kernels.ts';
import * as reference from './u256-reference.ts';

const SEED = 20_260_101;
const CASES = 20_000;

/** Words whose limbs are mostly the values where carries and corrections happen. */
const edge = fc.constantFrom(
  0n,
  1n,
  2n,
  2n ** 32n,
  2n ** 63n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
  2n ** 64n - 2n,
);
const limb = fc.oneof(edge, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const word = fc
  .tuple(limb, limb, limb, limb, fc.integer({ min: 1, max: 4 }))
  .map(([a, b, c, d, size]) =>
    [a, b, c, d].slice(0, size).reduce((value, part, i) => value | (part << BigInt(64 * i)), 0n),
  );

const functions = instantiate();

describe(`u256 kernels equal the reference (seed ${SEED}, ${CASES} cases each)`, () => {
  for (const name of ['mul', 'udiv', 'umod', 'sdiv', 'smod'] as const) {
    test(name, () => {
      fc.assert(
        fc.property(word, word, (x, y) => {
          expect(functions[name](x, y)).toBe(reference[name](x, y));
        }),
        { seed: SEED, numRuns: CASES },
      );
    });
  }

  for (const name of ['addmod', 'mulmod'] as const) {
    test(name, () => {
      fc.assert(
        fc.property(word, word, word, (x, y, n) => {
          expect(functions[name](x, y, n)).toBe(reference[name](x, y, n));
        }),
        { seed: SEED, numRuns: CASES },
      );
    });
  }

  test('exp', () => {
    fc.assert(
      fc.property(word, word, (x, y) => {
        expect(functions.exp(x, y)).toBe(reference.exp(x, y));
      }),
      { seed: SEED, numRuns: CASES / 20 },
    );
  });

  test('the most negative number divided by minus one stays itself', () => {
    const least = 1n << 255n;
    expect(functions.sdiv(least, (1n << 256n) - 1n)).toBe(least);
  });
});

type Functions = Record<keyof U256Kernels, (...operands: bigint[]) => bigint>;

function instantiate(): Functions {
  const m = new ModuleWriter();
  m.memory({ initial: 1 });
  const kernels = emitU256(m, 1024);
  for (const [name, index] of Object.entries(kernels)) m.exportFunction(name, index);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()));
  const wrap =
    (f: unknown) =>
    (...operands: bigint[]) => {
      const limbs = operands.flatMap((x) =>
        [0n, 64n, 128n, 192n].map((s) => BigInt.asIntN(64, x >> s)),
      );
      const out = [...(f as (...limbs: bigint[]) => Iterable<bigint>)(...limbs)];
      return out.reduce((x, part, i) => x | (BigInt.asUintN(64, part) << BigInt(64 * i)), 0n);
    };
  return Object.fromEntries(
    Object.keys(kernels).map((name) => [name, wrap(exports[name])]),
  ) as Functions;
}

import { privateKeyToAddress } from '@polyvisor/crypto/secp256k1';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { address, unsigned, word } from './testing/test-chain.ts';
import { type UnsignedTransaction, decodeTransaction, signTransaction } from './transaction.ts';

const SEED = 20_260_105;
const KEY = word(0xbeef);

const quantity = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = fc.uint8Array({ maxLength: 100 });
const accessList = fc.array(
  fc.record({
    address: fc.bigInt({ min: 0n, max: 1000n }).map(address),
    storageKeys: fc.array(fc.bigInt({ min: 0n, max: 1000n }).map(word), { maxLength: 3 }),
  }),
  { maxLength: 3 },
);

const transaction: fc.Arbitrary<UnsignedTransaction> = fc
  .record({
    type: fc.constantFrom(0 as const, 1 as const, 2 as const),
    nonce: quantity,
    gasLimit: quantity,
    fee: quantity,
    value: quantity,
    data: bytes,
    isCreate: fc.boolean(),
    accessList,
  })
  .map(({ type, fee, isCreate, accessList: list, ...fields }) =>
    unsigned({
      ...fields,
      type,
      maxFeePerGas: fee,
      maxPriorityFeePerGas: type === 2 ? fee / 2n : fee,
      to: isCreate ? undefined : address(7),
      accessList: type === 0 ? [] : list,
    }),
  );

describe(`signed transactions (seed ${SEED})`, () => {
  test('decode to what was signed, by whom', () => {
    fc.assert(
      fc.property(transaction, (tx) => {
        const signed = signTransaction(tx, KEY);
        expect(signed.sender).toEqual(privateKeyToAddress(KEY));
        expect(decodeTransaction(signed.raw)).toEqual(signed);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('one byte more or less is an error, not another transaction', () => {
    fc.assert(
      fc.property(transaction, (tx) => {
        const { raw } = signTransaction(tx, KEY);
        expect(() => decodeTransaction(raw.subarray(0, -1))).toThrow();
        expect(() => decodeTransaction(Uint8Array.of(...raw, 0))).toThrow();
      }),
      { seed: SEED, numRuns: 50 },
    );
  });
});

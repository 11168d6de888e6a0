import { createPublicKey, verify } from 'node:crypto';
import { bigIntToBytes, concatBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from './hashes.ts';
import { mnemonicToAccounts } from './mnemonic.ts';
import { verifyP256 } from './p256.ts';
import {
  SECP256K1_N,
  privateKeyToAddress,
  recoverAddress,
  recoverPublicKey,
  sign,
} from './secp256k1.ts';
import { numbersOf, vectors } from './testing/vectors.ts';

const SEED = 20_260_113;
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const privateKey = fc
  .bigInt({ min: 1n, max: SECP256K1_N - 1n })
  .map((value) => bigIntToBytes(value, 32));

describe('secp256k1', () => {
  test.each([
    // ethereum/tests, BasicTests/keyaddrtest.json
    [
      'c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4',
      '0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826',
    ],
    [
      'c87f65ff3f271bf5dc8643484f66b200109caffe4bf98c4cb393dc35740b28c0',
      '0x13978aee95f38490e9769c39b2773ed763d9cd5f',
    ],
  ])('the account of key %s', (key, address) => {
    expect(bytesToHex(privateKeyToAddress(hexToBytes(key)))).toBe(address);
  });

  test('the example of EIP-155', () => {
    const key = new Uint8Array(32).fill(0x46);
    const hash = hexToBytes('daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53');
    // v = 37 is chain 1 and an even y.
    const signature = {
      yParity: 0 as const,
      r: 18515461264373351373200002665853028612451056578545711640558177340181847433846n,
      s: 46948507304638947509940763649030358759909902576025900602547168820602576006531n,
    };
    expect(sign(hash, key)).toEqual(signature);
    const { r, s, yParity } = signature;
    expect(recoverAddress(hash, r, s, yParity)).toEqual(privateKeyToAddress(key));
  });

  test(`who signed is recovered; s is the lower one (seed ${SEED})`, () => {
    fc.assert(
      fc.property(digest, privateKey, (hash, key) => {
        const { r, s, yParity } = sign(hash, key);
        expect(s <= SECP256K1_N / 2n).toBe(true);
        const address = privateKeyToAddress(key);
        expect(recoverAddress(hash, r, s, yParity)).toEqual(address);
        // The mirrored signature is one of the same key.
        expect(recoverAddress(hash, r, SECP256K1_N - s, yParity === 0 ? 1 : 0)).toEqual(address);
        expect(recoverAddress(hash, r, s, yParity === 0 ? 1 : 0)).not.toEqual(address);
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  test.each([
    ['r = 0', 0n, 1n],
    ['r = n', SECP256K1_N, 1n],
    ['s = 0', 1n, 0n],
    ['s = n', 1n, SECP256K1_N],
    ['an r that is no abscissa of the curve', 5n, 1n],
  ])('nobody signs with %s', (_, r, s) => {
    expect(recoverPublicKey(new Uint8Array(32).fill(1), r, s, 0)).toBe(undefined);
  });

  test('a signature whose key would be the point at infinity has none', () => {
    // The key is (sR - zG) / r: nothing for R = G and s = z.
    const gx = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n;
    expect(recoverPublicKey(bigIntToBytes(7n, 32), gx, 7n, 0)).toBe(undefined);
  });
});

describe('P-256', () => {
  test.each(vectors.eip7951.map((vector) => [vector.name, vector] as const))(
    '%s',
    (_, { input, expected }) => {
      const [r, s, x, y] = numbersOf(input, 32).slice(1) as [bigint, bigint, bigint, bigint];
      const isValid = verifyP256(hexToBytes(input).subarray(0, 32), r, s, x, y);
      expect(isValid).toBe(expected !== '');
    },
  );

  test('numbers out of range, and keys off the curve, verify nothing', () => {
    const { input } = vectors.eip7951.find(({ expected }) => expected !== '')!;
    const hash = hexToBytes(input).subarray(0, 32);
    const [r, s, x, y] = numbersOf(input, 32).slice(1) as [bigint, bigint, bigint, bigint];
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
    expect(verifyP256(hash, r, s, x, y)).toBe(true);
    expect(verifyP256(hash, r, n - s, x, y)).toBe(true);
    for (const [r2, s2, x2, y2] of [
      [0n, s, x, y],
      [r, 0n, x, y],
      [n, s, x, y],
      [r, n, x, y],
      [r + n, s, x, y],
      [r, s + n, x, y],
      [r, s, x, y + 1n],
      [r, s, x + p, y],
      [r, s, 0n, 0n],
    ] as const) {
      expect(verifyP256(hash, r2, s2, x2, y2)).toBe(false);
    }
  });
});

describe('accounts of a mnemonic', () => {
  test("the development mnemonic's first accounts", () => {
    const accounts = mnemonicToAccounts(
      'test test test test test test test test test test test junk',
      2,
    );
    // As Hardhat and Foundry print them.
    expect(accounts.map(({ address }) => bytesToHex(address))).toEqual([
      '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
      '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
    ]);
    expect(bytesToHex(accounts[0]!.privateKey)).toBe(
      '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
    );
  });
});

test(`OpenSSL verifies what is signed (seed ${SEED})`, () => {
  fc.assert(
    fc.property(digest, privateKey, (message, key) => {
      // OpenSSL hashes by itself, so what we sign is the hash of its message.
      const hash = sha256(message);
      const { r, s, yParity } = sign(hash, key);
      const point = recoverPublicKey(hash, r, s, yParity)!;
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
      const jwk = {
        kty: 'EC',
        crv: 'secp256k1',
        x: text(point.subarray(1, 33)),
        y: text(point.subarray(33)),
      };
      const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
      const signature = concatBytes(bigIntToBytes(r, 32), bigIntToBytes(s, 32));
      expect(
        verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature),
      ).toBe(true);
    }),
    { seed: SEED, numRuns: 30 },
  );
});

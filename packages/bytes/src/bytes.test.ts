import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bigIntToBytes,
  bigIntToMinimalBytes,
  bytesToBigInt,
  bytesToUtf8,
  compareBytes,
  concatBytes,
  equalBytes,
  padLeft,
  utf8ToBytes,
} from './bytes.ts';
import { bytesToHex, hexToBytes, isHex } from './hex.ts';
import { bytesToLatin1, latin1ToBytes } from './latin1.ts';

const SEED = 20_260_108;
const some = fc.uint8Array({ maxLength: 80 });

describe(`bytes (seed ${SEED})`, () => {
  test('joined are as long as their parts, in order', () => {
    fc.assert(
      fc.property(fc.array(some), (parts) => {
        expect(concatBytes(...parts)).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])));
      }),
      { seed: SEED },
    );
  });

  test('compare as Buffer compares them', () => {
    fc.assert(
      fc.property(some, some, fc.boolean(), (a, b, isSame) => {
        const other = isSame ? a.slice() : b;
        expect(Math.sign(compareBytes(a, other))).toBe(Buffer.compare(a, other));
        expect(equalBytes(a, other)).toBe(Buffer.compare(a, other) === 0);
      }),
      { seed: SEED },
    );
  });

  test('a prefix comes before the whole', () => {
    expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
  });

  test('as a big-endian number and back', () => {
    fc.assert(
      fc.property(some, (bytes) => {
        const value = bytesToBigInt(bytes);
        expect(value).toBe(BigInt(`0x0${Buffer.from(bytes).toString('hex')}`));
        expect(bigIntToBytes(value, bytes.length)).toEqual(bytes);
      }),
      { seed: SEED },
    );
  });

  test('a view into a larger buffer is read at its place', () => {
    expect(bytesToBigInt(Uint8Array.of(9, 9, 1, 2, 3, 4, 5, 6, 7, 8).subarray(2))).toBe(
      0x01_02_03_04_05_06_07_08n,
    );
  });

  test('a number too large for its size loses its high bytes', () => {
    expect(bigIntToBytes(0x01_0203n, 2)).toEqual(Uint8Array.of(2, 3));
  });

  test('minimal: no leading zero, and nothing for 0', () => {
    expect(bigIntToMinimalBytes(0n)).toEqual(new Uint8Array(0));
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 300n }), (value) => {
        const bytes = bigIntToMinimalBytes(value);
        expect(bytes[0]).not.toBe(0);
        expect(bytesToBigInt(bytes)).toBe(value);
      }),
      { seed: SEED },
    );
  });

  test('padded in front up to a size, and never cut', () => {
    expect(padLeft(Uint8Array.of(1), 3)).toEqual(Uint8Array.of(0, 0, 1));
    expect(padLeft(Uint8Array.of(1, 2, 3), 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(padLeft(Uint8Array.of(1, 2, 3, 4), 3)).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  test('as UTF-8 and as Latin-1, and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(bytesToUtf8(utf8ToBytes(text))).toBe(text);
      }),
      { seed: SEED },
    );
    const long = Uint8Array.from({ length: 10_000 }, (_, i) => i & 0xff);
    expect(latin1ToBytes(bytesToLatin1(long))).toEqual(long);
    expect(bytesToLatin1(Uint8Array.of(0, 65, 255))).toBe('\u0000A\u00ff');
  });
});

describe('hexadecimal', () => {
  test(`as Buffer writes it, and back, in either case (seed ${SEED})`, () => {
    fc.assert(
      fc.property(some, (bytes) => {
        const digits = Buffer.from(bytes).toString('hex');
        expect(bytesToHex(bytes)).toBe(`0x${digits}`);
        for (const text of [digits, `0x${digits}`, `0X${digits.toUpperCase()}`]) {
          expect(hexToBytes(text)).toEqual(bytes);
        }
      }),
      { seed: SEED },
    );
  });

  test.each([
    '0',
    '0x0',
    '0x0g',
    '0x/0',
    '0x:0',
    '0x@0',
    '0x`0',
    '0x 0',
    'x0',
    '0x0x00',
    '0x\u0130a',
  ])('refuses %j', (text) => {
    expect(() => hexToBytes(text)).toThrow(expect.objectContaining({ code: 'bad-hex' }));
  });

  test('an error shows the beginning of a long text', () => {
    expect(() => hexToBytes(`${'0'.repeat(1000)}g`)).toThrow(/^'0{40}…' has an odd number/);
  });

  test('is recognized with its prefix, of whole bytes, of the length asked for', () => {
    expect([isHex('0x'), isHex('0x0f'), isHex('0x0F', 1)]).toEqual([true, true, true]);
    expect([isHex('0f'), isHex('0x0'), isHex('0x0f', 2), isHex('0x0g'), isHex(15)]).toEqual(
      Array.from({ length: 5 }, () => false),
    );
  });
});

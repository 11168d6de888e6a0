import { hexToBytes } from '@polyvisor/bytes/hex';
import { equalBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RlpItem, RlpError, decodeRlp, encodeRlp, rlpInteger } from './rlp.ts';

const SEED = 20_260_109;
const text = utf8ToBytes;
const lorem = 'Lorem ipsum dolor sit amet, consectetur adipisicing elit';

const { item } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.uint8Array({ maxLength: 70 }),
    fc.array(tie('item'), { maxLength: 6 }),
  ),
}));

describe('canonical RLP', () => {
  test.each<[string, RlpItem, string]>([
    // See the Ethereum wiki, "RLP", examples.
    ['dog', text('dog'), '83646f67'],
    ['a list of cat and dog', [text('cat'), text('dog')], 'c88363617483646f67'],
    ['nothing', new Uint8Array(0), '80'],
    ['an empty list', [], 'c0'],
    ['the byte 0', Uint8Array.of(0), '00'],
    ['the byte 0x7f', Uint8Array.of(0x7f), '7f'],
    ['the byte 0x80', Uint8Array.of(0x80), '8180'],
    ['1024', rlpInteger(1024), '820400'],
    ['three, as sets', [[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
    ['56 bytes', text(lorem), `b838${Buffer.from(lorem).toString('hex')}`],
    ['55 bytes', text(lorem.slice(1)), `b7${Buffer.from(lorem.slice(1)).toString('hex')}`],
  ])('%s', (_, value, hex) => {
    expect(encodeRlp(value)).toEqual(hexToBytes(hex));
    expect(decodeRlp(hexToBytes(hex))).toEqual(value);
  });

  test.each([0, 1, 55, 56, 255, 256, 65_535, 65_536, 1 << 24])(
    '%i bytes, in a list too',
    (size) => {
      const bytes = new Uint8Array(size).fill(0x80);
      const list = decodeRlp(encodeRlp([bytes])) as readonly Uint8Array[];
      for (const read of [decodeRlp(encodeRlp(bytes)), ...list]) {
        // At once: the matcher goes byte by byte.
        expect(equalBytes(read as Uint8Array, bytes)).toBe(true);
      }
    },
  );

  test(`is read as it was written (seed ${SEED})`, () => {
    fc.assert(
      fc.property(item, (value) => {
        expect(decodeRlp(encodeRlp(value))).toEqual(value);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test(`bytes that are read are the only ones for what they hold (seed ${SEED})`, () => {
    fc.assert(
      fc.property(item, fc.nat(), fc.nat(255), (value, place, byte) => {
        const bytes = encodeRlp(value);
        bytes[place % bytes.length] = byte;
        try {
          expect(encodeRlp(decodeRlp(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RlpError);
        }
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });

  test('an integer has no leading zero', () => {
    expect([rlpInteger(0), rlpInteger(0n), rlpInteger(127), rlpInteger(256n)]).toEqual([
      new Uint8Array(0),
      new Uint8Array(0),
      Uint8Array.of(127),
      Uint8Array.of(1, 0),
    ]);
  });
});

describe('what is not canonical is refused', () => {
  test.each([
    ['no bytes', '', 'end before'],
    ['bytes behind', '8080', 'behind the item'],
    ['a small byte with a prefix', '8100', 'has a prefix'],
    ['the largest small byte with a prefix', '817f', 'has a prefix'],
    ['a string cut off', '83646f', 'inside the item'],
    ['a list cut off', 'c20a', 'inside the item'],
    ['an element longer than its list', 'c28301', 'inside the item'],
    ['a length cut off', 'b9', 'inside a length'],
    ['a length with a zero in front', 'b90040', 'leading zero'],
    ['a list length with a zero in front', 'f80001', 'leading zero'],
    ['55 bytes in the long form', `b837${'00'.repeat(55)}`, 'short length'],
    ['a list of 55 bytes in the long form', `f837${'00'.repeat(55)}`, 'short length'],
    ['a length of 2^64 - 1', 'bfffffffffffffffff', 'beyond the bytes'],
    ['a list length of 2^64 - 1', 'ffffffffffffffffff', 'beyond the bytes'],
    ['a length of 2^48 - 1', 'bdffffffffffff', 'inside the item'],
  ])('%s', (_, hex, message) => {
    expect(() => decodeRlp(hexToBytes(hex))).toThrow(message);
    expect(() => decodeRlp(hexToBytes(hex))).toThrow(RlpError);
  });

  test.each([
    [1024, true],
    [1025, true],
    [1026, false],
  ])('%i lists in one another: %s', (count, isRead) => {
    const bytes = encodeRlp(nested(count));
    if (isRead) expect(encodeRlp(decodeRlp(bytes))).toEqual(bytes);
    else expect(() => decodeRlp(bytes)).toThrow('nested too deep');
  });
});

function nested(count: number): RlpItem {
  let list: RlpItem = [];
  for (let i = 1; i < count; i++) list = [list];
  return list;
}

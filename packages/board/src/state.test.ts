import { expect, test } from 'vitest';
import { StateReader, StateWriter } from './state.ts';

const written = () =>
  new StateWriter()
    .section('part', 3, (out) => {
      out
        .flag(true)
        .u32(7)
        .u64(2n ** 64n - 1n)
        .number(Infinity)
        .bytes(Uint8Array.of(1, 2));
      out.words(Uint32Array.of(5, 6)).text('ü');
    })
    .finish();

test('what is written is read', () => {
  new StateReader(written()).section('part', 3, (from) => {
    expect([from.flag(), from.u32(7), from.u64(), from.number()]).toEqual([
      true,
      7,
      2n ** 64n - 1n,
      Infinity,
    ]);
    expect(from.bytes(2)).toEqual(Uint8Array.of(1, 2));
    const words = new Uint32Array(2);
    from.words(words);
    expect([...words]).toEqual([5, 6]);
    expect(from.text()).toBe('ü');
  });
});

test.each<[string, (from: StateReader) => unknown, string]>([
  ['another name', (from) => from.section('other', 3, () => {}), "'part' where 'other' is due"],
  ['another version', (from) => from.section('part', 4, () => {}), 'version 3'],
  ['less than there is', (from) => from.section('part', 3, () => {}), 'more in'],
  ['what comes behind the state', (from) => from.expectEnd(), 'more in the state'],
  ['a value beyond its limit', (from) => from.section('part', 3, (s) => (s.flag(), s.u32(6))), '7'],
  ['no flag', (from) => from.flag(), 'for a flag'],
])('%s is refused', (_, read, why) => {
  expect(() => read(new StateReader(written()))).toThrow(why);
});

test('every cut of the bytes is refused', () => {
  const bytes = written();
  for (let length = 0; length < bytes.length; length++) {
    const reader = new StateReader(bytes.subarray(0, length));
    expect(() => reader.section('part', 3, (from) => from.text())).toThrow('saved state');
  }
});

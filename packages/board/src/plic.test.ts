import { expect, test } from 'vitest';
import { Plic } from './plic.ts';
import { StateReader, StateWriter } from './state.ts';

/** Sources 1 to 40, two contexts; source 3 and 35 enabled for context 0 with priorities 1 and 2. */
function setUp() {
  const lines = [false, false];
  const plic = new Plic({
    sourceCount: 40,
    contexts: lines.map((_, i) => (isHigh: boolean) => void (lines[i] = isHigh)),
  });
  plic.store(4 * 3, 4, 1);
  plic.store(4 * 35, 4, 2);
  plic.store(0x2000, 4, 1 << 3);
  plic.store(0x2004, 4, 1 << 3);
  return { plic, lines };
}
const claim = (plic: Plic, context = 0) => plic.load(0x20_0004 + 0x1000 * context, 4);
const complete = (plic: Plic, source: number, context = 0) =>
  plic.store(0x20_0004 + 0x1000 * context, 4, source);

test('the highest priority is claimed first, then the lowest number', () => {
  const { plic, lines } = setUp();
  plic.line(3)(true);
  plic.line(35)(true);
  expect(lines).toEqual([true, false]);
  expect([claim(plic), claim(plic), claim(plic)]).toEqual([35, 3, 0]);
  expect(lines).toEqual([false, false]);
});

test('a level that is still high at its completion interrupts again, not before', () => {
  const { plic, lines } = setUp();
  const line = plic.line(3);
  line(true);
  expect(claim(plic)).toBe(3);
  line(true);
  expect(lines[0]).toBe(false);
  complete(plic, 3);
  expect(lines[0]).toBe(true);
  expect(claim(plic)).toBe(3);
  line(false);
  complete(plic, 3);
  expect(lines[0]).toBe(false);
});

test('an accepted request stays when its wire falls', () => {
  const { plic } = setUp();
  plic.line(3)(true);
  plic.line(3)(false);
  expect(plic.load(0x1000, 4)).toBe(1 << 3);
  expect(claim(plic)).toBe(3);
});

test.each([
  [0, true],
  [1, false],
])('a threshold of %i lets priority 1 through: %s; it does not bar the claim', (value, isHigh) => {
  const { plic, lines } = setUp();
  plic.store(0x20_0000, 4, value);
  plic.line(3)(true);
  expect(lines[0]).toBe(isHigh);
  expect(claim(plic)).toBe(3);
});

test('a completion of a context for which the source is not enabled is ignored', () => {
  const { plic, lines } = setUp();
  plic.line(3)(true);
  claim(plic);
  complete(plic, 3, 1);
  expect(lines[0]).toBe(false);
});

test('priority 0 never interrupts; priorities have three bits; source 0 has no register', () => {
  const { plic, lines } = setUp();
  plic.store(4 * 3, 4, 8);
  expect(plic.load(4 * 3, 4)).toBe(0);
  plic.line(3)(true);
  expect(lines[0]).toBe(false);
  expect(claim(plic)).toBe(0);
  plic.store(0, 4, 7);
  expect(plic.load(0, 4)).toBe(0);
  plic.store(0x2000, 4, 1);
  expect(plic.load(0x2000, 4)).toBe(0);
});

test.each([0xa4, 0x1008, 0x2008, 0x2100, 0x20_2000, 0x5f_fffc])(
  'offset 0x%x beyond its registers reads zero and takes writes',
  (offset) => {
    const { plic } = setUp();
    plic.store(offset, 4, 0xffff_ffff);
    expect(plic.load(offset, 4)).toBe(0);
  },
);

test('state goes on in another one', () => {
  const { plic } = setUp();
  plic.line(3)(true);
  plic.line(35)(true);
  claim(plic);
  const out = new StateWriter();
  plic.saveState(out);
  const other = setUp();
  other.plic.loadState(new StateReader(out.finish()));
  expect(other.lines[0]).toBe(true);
  expect(claim(other.plic)).toBe(3);
  complete(other.plic, 35);
  expect(claim(other.plic)).toBe(35);
});

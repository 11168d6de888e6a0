import { expect, test } from 'vitest';
import { Aclint, AclintSswi } from './aclint.ts';
import { StateReader, StateWriter } from './state.ts';

function setUp() {
  const clock = { ticks: 100 };
  const lines = { software: [false, false], timer: [false, false] };
  const aclint = new Aclint({
    clock,
    software: [0, 1].map((hart) => (isHigh) => void (lines.software[hart] = isHigh)),
    timer: [0, 1].map((hart) => (isHigh) => void (lines.timer[hart] = isHigh)),
  });
  return { clock, lines, aclint };
}

test.each([
  [149, false],
  [150, true],
  [151, true],
])('a compare value of 150 interrupts at tick %i: %s', (ticks, isHigh) => {
  const { clock, lines, aclint } = setUp();
  aclint.store(0x4008, 8, 150n);
  expect(aclint.wakesAt).toBe(150);
  clock.ticks = ticks;
  aclint.elapse();
  expect(lines.timer).toEqual([false, isHigh]);
});

test('mtime is readable in halves and writable', () => {
  const { clock, aclint } = setUp();
  aclint.store(0xbff8, 8, 0x1_0000_0005n);
  clock.ticks += 2;
  expect(aclint.load(0xbff8, 8)).toBe(0x1_0000_0007n);
  expect(aclint.load(0xbff8, 4)).toBe(7);
  expect(aclint.load(0xbffc, 4)).toBe(1);
  aclint.store(0xbffc, 4, 2);
  expect(aclint.load(0xbff8, 8)).toBe(0x2_0000_0007n);
});

test('a compare value of all ones never comes', () => {
  const { lines, aclint } = setUp();
  expect(aclint.wakesAt).toBe(Infinity);
  aclint.store(0x4000, 8, 0n);
  expect(lines.timer[0]).toBe(true);
  aclint.store(0x4000, 4, 0xffff_ffff);
  aclint.store(0x4004, 4, 0xffff_ffff);
  expect(lines.timer[0]).toBe(false);
  expect(aclint.wakesAt).toBe(Infinity);
});

test('a software interrupt is a bit a hart', () => {
  const { lines, aclint } = setUp();
  aclint.store(4, 4, 0xffff_ffff);
  expect(lines.software).toEqual([false, true]);
  expect(aclint.load(4, 4)).toBe(1);
  aclint.store(4, 4, 0);
  expect(lines.software).toEqual([false, false]);
  aclint.store(8, 4, 1);
  expect(aclint.load(8, 4)).toBe(0);
});

test('a supervisor software interrupt is raised and reads zero', () => {
  const raised: number[] = [];
  const sswi = new AclintSswi([0, 1].map((hart) => () => void raised.push(hart)));
  sswi.store(4, 4, 1);
  sswi.store(0, 4, 2);
  sswi.store(8, 4, 1);
  expect(raised).toEqual([1]);
  expect(sswi.load()).toBe(0);
});

test('state goes on in another one', () => {
  const { aclint } = setUp();
  aclint.store(0, 4, 1);
  aclint.store(0x4000, 8, 90n);
  const out = new StateWriter();
  aclint.saveState(out);
  const other = setUp();
  other.aclint.loadState(new StateReader(out.finish()));
  expect(other.lines).toEqual({ software: [true, false], timer: [true, false] });
});

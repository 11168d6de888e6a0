import { expect, test } from 'vitest';
import { GoldfishRtc } from './rtc.ts';
import { StateReader, StateWriter } from './state.ts';

const EPOCH_NS = 0x1234_5678_0000_0000n;

function setUp() {
  const clock = { ticks: 0 };
  const state = { isHigh: false };
  const line = (isHigh: boolean) => void (state.isHigh = isHigh);
  return { clock, state, rtc: new GoldfishRtc({ clock, line, epochNs: EPOCH_NS }) };
}

/** Another one, with its state, at a moment. */
function goOn(rtc: GoldfishRtc, ticks: number): ReturnType<typeof setUp> {
  const out = new StateWriter();
  rtc.saveState(out);
  const other = setUp();
  other.clock.ticks = ticks;
  other.rtc.loadState(new StateReader(out.finish()));
  return other;
}

test('the time moves by 100 ns a tick; the high half belongs to the low half read last', () => {
  const { clock, rtc } = setUp();
  clock.ticks = 3;
  expect(rtc.load(0x00, 4)).toBe(300);
  clock.ticks = 2 ** 32;
  expect(rtc.load(0x04, 4)).toBe(0x1234_5678);
});

test('an alarm interrupts at its time, if it may', () => {
  const { clock, state, rtc } = setUp();
  rtc.store(0x10, 4, 1);
  rtc.store(0x0c, 4, 0x1234_5678);
  rtc.store(0x08, 4, 1000);
  expect(rtc.load(0x18, 4)).toBe(1);
  expect(rtc.wakesAt).toBe(10);
  clock.ticks = 9;
  rtc.elapse();
  expect(state.isHigh).toBe(false);
  clock.ticks = 10;
  rtc.elapse();
  expect(state.isHigh).toBe(true);
  expect(rtc.load(0x18, 4)).toBe(0);
  rtc.store(0x1c, 4, 1);
  expect(state.isHigh).toBe(false);
});

test('an alarm that is cleared does not come; a new time moves it', () => {
  const { rtc } = setUp();
  rtc.store(0x0c, 4, 0x1234_5678);
  rtc.store(0x08, 4, 1000);
  rtc.store(0x04, 4, 0x1234_5678);
  rtc.store(0x00, 4, 500);
  expect(rtc.wakesAt).toBe(5);
  rtc.store(0x14, 4, 1);
  expect(rtc.wakesAt).toBe(Infinity);
});

test('state goes on in another one', () => {
  const { rtc } = setUp();
  rtc.store(0x10, 4, 1);
  rtc.store(0x0c, 4, 0x1234_5678);
  rtc.store(0x08, 4, 1000);
  const other = goOn(rtc, 0);
  other.clock.ticks = 10;
  other.rtc.elapse();
  expect(other.state.isHigh).toBe(true);
});

test('a clock that was set back before 1970 at tick 0 is saved as it is', () => {
  const { clock, rtc } = setUp();
  clock.ticks = 100;
  rtc.store(0x04, 4, 0);
  rtc.store(0x00, 4, 5000);
  rtc.store(0x0c, 4, 0);
  rtc.store(0x08, 4, 6000);
  const other = goOn(rtc, 100);
  expect(other.rtc.load(0x00, 4)).toBe(5000);
  expect(other.rtc.wakesAt).toBe(110);
});

import { expect, test } from 'vitest';
import { Alarm } from './alarm.ts';
import { FakeClock } from './testing/fake-clock.ts';

function make(): { clock: FakeClock; alarm: Alarm; rings: number[] } {
  const clock = new FakeClock();
  const rings: number[] = [];
  return { clock, alarm: new Alarm(clock, () => rings.push(clock.ms)), rings };
}

test('it rings once, then, not before', () => {
  const { clock, alarm, rings } = make();
  alarm.set(clock.unixMs() + 10);
  clock.advance(9);
  expect(rings).toEqual([]);
  clock.advance(100);
  expect(rings).toEqual([10]);
});

test('setting it again moves it; unsetting it keeps it quiet', () => {
  const { clock, alarm, rings } = make();
  alarm.set(clock.unixMs() + 10);
  alarm.set(clock.unixMs() + 20);
  clock.advance(15);
  alarm[Symbol.dispose]();
  clock.advance(100);
  expect(rings).toEqual([]);
});

test('a time that is past is a millisecond away', () => {
  const { clock, alarm, rings } = make();
  alarm.set(clock.unixMs() - 1000);
  expect(rings).toEqual([]);
  clock.advance(1);
  expect(rings).toEqual([1]);
});

test('a year away it rings in 25 days, not at once', () => {
  const { clock, alarm, rings } = make();
  alarm.set(clock.unixMs() + 365 * 86_400_000);
  clock.advance(2 ** 31 - 2);
  expect(rings).toEqual([]);
  clock.advance(1);
  expect(rings).toHaveLength(1);
});

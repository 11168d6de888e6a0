import { expect, test } from 'vitest';
import { GenerationId } from './generation-id.ts';
import { StateReader, StateWriter } from './state.ts';

const ID = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);

test('a new generation is read in any size, and tells of itself by an edge', () => {
  const levels: boolean[] = [];
  const device = new GenerationId((isHigh) => void levels.push(isHigh));
  expect([device.load(0, 8), device.load(12, 4)]).toEqual([0n, 0]);
  device.renew(ID);
  expect(levels).toEqual([true, false]);
  expect(device.load(0, 8)).toBe(0xf7f6_f5f4_f3f2_f1f0n);
  expect([device.load(12, 4), device.load(15, 1), device.load(16, 4)]).toEqual([
    0xfffe_fdfc, 0xff, 0,
  ]);
});

test('its state goes on in another one', () => {
  const device = new GenerationId(() => {});
  device.renew(ID);
  const out = new StateWriter();
  device.saveState(out);
  const other = new GenerationId(() => {});
  other.loadState(new StateReader(out.finish()));
  expect(other.load(15, 1)).toBe(0xff);
});

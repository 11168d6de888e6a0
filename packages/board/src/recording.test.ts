import { expect, test } from 'vitest';
import { replay } from './recording.ts';
import { beginCounting, recordCounting } from './testing/recorded-counting.ts';

const SEED = 20_261_125;

test(`a recorded run comes out the same, however it is cut (seed ${SEED})`, () => {
  const recording = recordCounting(SEED);
  expect(recordCounting(SEED)).toEqual(recording);
  expect(recordCounting(SEED + 1).digest).not.toEqual(recording.digest);
  for (const sliceSteps of [Infinity, 10_000, 997]) {
    using computer = beginCounting();
    let said = '';
    const digest = replay(computer, recording, sliceSteps, (bytes) => {
      said += Buffer.from(bytes).toString('latin1');
    });
    expect(digest).toEqual(recording.digest);
    expect(said).toMatch(/^ok\n(?:[a-j]\d){3,}/);
  }
});

test('a computer that is another one is noticed', () => {
  const recording = recordCounting(SEED);
  using computer = beginCounting();
  const inputs = recording.inputs.slice(1);
  expect(replay(computer, { ...recording, inputs })).not.toEqual(recording.digest);
});

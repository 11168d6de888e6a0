import { expect, test } from 'vitest';
import { disassemble } from './disassembler.ts';
import { randomProgram, randomRows } from './testing/random-program.ts';
import { difference, runOnHart, runOnReference } from './testing/run-program.ts';

const SEED = 20_261_125;

function compare(seed: number, accepts?: (name: string) => boolean): (string | undefined)[] {
  const program = randomProgram({ seed, blockCount: 2, passes: 2, ...(accepts && { accepts }) });
  const reference = runOnReference(program);
  return [Infinity, 1].map((hotLandings) =>
    difference(program, runOnHart(program, { hotLandings }), reference, disassemble),
  );
}

test.for(randomRows.map(({ name }) => name))(
  '%s is what the reference says, interpreted and compiled',
  (name) => {
    expect(compare(SEED, (other) => other === name)).toEqual([undefined, undefined]);
  },
);

test.for([1, 2, 3, 4])('random programs, seed %i, end as on the reference', (seed) => {
  expect(compare(SEED + seed)).toEqual([undefined, undefined]);
});

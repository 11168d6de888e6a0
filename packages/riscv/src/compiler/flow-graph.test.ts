import { expect, test } from 'vitest';
import type { Line } from '../testing/small-hart.ts';
import { encode } from '../testing/words.ts';
import { flowGraph } from './flow-graph.ts';
import { PAGE_BYTES, findRegion } from './region.ts';

const LIMITS = { blocksMax: 100, instructionsMax: 1000 };
const [PREHEADER, HEAD] = [0, 8];

/** As compilers write a loop whose first time begins in its middle: the branch leads back to the head. */
function nodesOf(headInstructions: number, middleInstructions: number) {
  const middle = HEAD + 4 * headInstructions;
  const count = (length: number): Line[] =>
    Array.from({ length }, () => ['addi', { rd: 6, rs1: 6, imm: 1 }]);
  const branch = middle + 4 * (middleInstructions - 1);
  const lines: Line[] = [
    ['addi', { rd: 5, rs1: 0, imm: 9 }],
    ['jal', { rd: 0, imm: middle - 4 }],
    ...count(headInstructions),
    ...count(middleInstructions - 1),
    ['bne', { rs1: 6, rs2: 5, imm: HEAD - branch }],
    ['jalr', { rs1: 1 }],
  ];
  const page = new Uint8Array(PAGE_BYTES);
  const words = lines.map((line) => (typeof line === 'number' ? line : encode(line[0], line[1])));
  page.set(new Uint8Array(Uint32Array.from(words).buffer));
  const { blocks, entries } = findRegion(page, [PREHEADER], LIMITS, () => true);
  expect(entries).toEqual([PREHEADER, HEAD]);
  const nodes = flowGraph(blocks, entries);
  const copies = (offset: number): number =>
    nodes.filter(({ block }) => block?.offset === offset).length;
  const dispatchers = nodes.filter(({ block, successors }) => !block && successors.length > 1);
  return { dispatchers: dispatchers.length - 1, heads: copies(HEAD), middles: copies(middle) };
}

test('a loop that is entered in its middle has one head: a short block is copied for that', () => {
  expect(nodesOf(16, 17)).toEqual({ dispatchers: 0, heads: 2, middles: 1 });
  expect(nodesOf(17, 16)).toEqual({ dispatchers: 0, heads: 1, middles: 2 });
});

test('long blocks are not copied: a dispatcher stands in front of the heads', () => {
  expect(nodesOf(17, 17)).toEqual({ dispatchers: 1, heads: 1, middles: 1 });
});

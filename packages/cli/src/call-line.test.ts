import { expect, test } from 'vitest';
import { parseCallLine, parseParameters } from './call-line.ts';

test.for([
  ['eth_blockNumber', 'eth_blockNumber', []],
  ['  eth_getBalance  0xab latest ', 'eth_getBalance', ['0xab', 'latest']],
  ['eth_getBalance ["0xab", "latest"]', 'eth_getBalance', ['0xab', 'latest']],
  [
    'eth_call {"to": "0xab", "data": "0x"} latest',
    'eth_call',
    [{ to: '0xab', data: '0x' }, 'latest'],
  ],
  ['evm_mine 1 true null', 'evm_mine', [1, true, null]],
  ['web3_sha3 "a \\" b"', 'web3_sha3', ['a " b']],
  ['eth_x [1] [2]', 'eth_x', [[1], [2]]],
  ['eth_x {broken', 'eth_x', ['{broken']],
] as const)('%s', ([line, method, parameters]) => {
  expect(parseCallLine(line)).toEqual({ method, parameters });
});

test('an empty line is no call', () => {
  expect(parseCallLine(' \t')).toBeUndefined();
});

test('words of a shell are values where they are JSON', () => {
  expect(parseParameters(['0x10', '16', 'latest', '{"a":1}'])).toEqual([
    '0x10',
    16,
    'latest',
    { a: 1 },
  ]);
});

import { SIMULATED_BLOCKS_MAX } from '@polyvisor/eth/simulate';
import { parseEther } from 'viem';
import { expect, test } from 'vitest';
import { alice, bob, deployToken, stranger, token, viemOf } from './testing/test-clients.ts';
import { TestNode } from './testing/test-node.ts';

const from = `0xc0${'00'.repeat(19)}`;
const to = `0xc1${'00'.repeat(19)}`;

interface Simulated {
  readonly number: string;
  readonly timestamp: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly transactions: readonly { readonly nonce: string; readonly gas: string }[];
  readonly calls: readonly {
    readonly status: string;
    readonly returnData: string;
    readonly logs: readonly { readonly topics: readonly string[] }[];
    readonly error?: { readonly code: number; readonly message: string };
  }[];
}

function simulate(node: TestNode, ...blockStateCalls: object[]): Promise<Simulated[]> {
  const payload = { blockStateCalls, traceTransfers: true, returnFullTransactions: true };
  return node.call('eth_simulateV1', payload, 'latest') as Promise<Simulated[]>;
}

/** The case is that of execution-apis, ethSimulate-simple. */
test('calls go on from what those before them did, and leave nothing', async () => {
  const node = new TestNode();
  const blocks = await simulate(
    node,
    {
      stateOverrides: { [from]: { balance: '0x3e8' } },
      calls: [{ from, to, value: '0x3e8' }],
    },
    { calls: [{ from: to, to: from, value: '0x3e8' }] },
  );
  expect(blocks.map(({ number }) => Number(number))).toEqual([1, 2]);
  expect(Number(blocks[1]!.timestamp) - Number(blocks[0]!.timestamp)).toBe(12);
  expect(blocks[1]!.parentHash).toBe(blocks[0]!.hash);
  expect(blocks[1]!.calls).toMatchObject([{ status: '0x1', gasUsed: '0x5208' }]);
  expect(node.call('eth_blockNumber')).toBe('0x0');
  expect(node.call('eth_getBalance', from)).toBe('0x0');
});

test('a sender that was not there counts its nonces', async () => {
  const blocks = await simulate(
    new TestNode(),
    { calls: [{ from }, { from }] },
    { calls: [{ from, to }] },
  );
  const nonces = blocks.flatMap((block) => block.transactions.map(({ nonce }) => Number(nonce)));
  expect(nonces).toEqual([0, 1, 2]);
  expect(blocks.flatMap(({ calls }) => calls.map(({ status }) => status))).toEqual([
    '0x1',
    '0x1',
    '0x1',
  ]);
});

test('numbers that are left out get empty blocks', async () => {
  const blocks = await simulate(new TestNode(), { blockOverrides: { number: '0x4' } }, {});
  expect(blocks.map(({ number }) => Number(number))).toEqual([1, 2, 3, 4, 5]);
});

test('transfers of ether are logs, those of a call that failed are not', async () => {
  // Sends all it gets on to 0xbeef; with call data it reverts then.
  const code = '0x5f5f5f5f3461beef5af136600f57005b5f5ffd';
  const call = { from, to, value: '0x5' };
  const [block] = await simulate(new TestNode(), {
    stateOverrides: { [from]: { balance: '0x64' }, [to]: { code } },
    calls: [call, { ...call, input: '0x01' }],
  });
  const [sent, reverted] = block!.calls;
  expect(sent!.logs.map(({ topics }) => BigInt(topics[2]!))).toEqual([BigInt(to), 0xbeefn]);
  expect(reverted).toMatchObject({
    status: '0x0',
    logs: [],
    returnData: '0x',
    error: { code: 3, message: 'execution reverted', data: '0x' },
  });
});

test('a call that halts says how', async () => {
  const [block] = await simulate(new TestNode(), {
    stateOverrides: { [to]: { code: '0xfe' } },
    calls: [{ from, to, gas: '0x10000' }],
  });
  expect(block!.calls[0]!.error).toEqual({ code: -32015, message: 'invalid opcode' });
});

/** Codes and texts are those of execution-apis, tests/eth_simulateV1. */
test.each([
  [-38020, 'block numbers must be in order: 1 <= 5', [{ number: '0x5' }, { number: '0x1' }]],
  [-38021, 'block timestamps must be in order: 5 <= 1700000000', [{ time: '0x5' }]],
  [-38026, 'too many blocks', [{ number: `0x${(SIMULATED_BLOCKS_MAX + 1n).toString(16)}` }]],
])('%i: %s', async (code, message, overrides) => {
  const blocks = overrides.map((blockOverrides) => ({ blockOverrides }));
  await expect(simulate(new TestNode(), ...blocks)).rejects.toMatchObject({ code, message });
});

test('so many blocks fit', async () => {
  const number = `0x${SIMULATED_BLOCKS_MAX.toString(16)}`;
  const blocks = await simulate(new TestNode(), { blockOverrides: { number } });
  expect(blocks).toHaveLength(Number(SIMULATED_BLOCKS_MAX));
});

const address = '0xC000000000000000000000000000000000000000';

test.each([
  [
    -38014,
    `err: insufficient funds for gas * price + value: address ${address} have 0 want 1000 (supplied gas 30000000)`,
    { value: '0x3e8' },
    false,
  ],
  [
    -38013,
    'err: intrinsic gas too low: have 0, want 21000 (supplied gas 0)',
    { gas: '0x0' },
    false,
  ],
  [
    -38012,
    `err: max fee per gas less than block base fee: address ${address}, maxFeePerGas: 0, baseFee: 875000000 (supplied gas 16777216)`,
    {},
    true,
  ],
  [
    -38011,
    `err: nonce too high: address ${address}, tx: 7 state: 0 (supplied gas 16777216)`,
    { nonce: '0x7', maxFeePerGas: '0x3b9aca00' },
    true,
  ],
  [-38015, 'block gas limit reached: 30000001 >= 30000000', { gas: '0x1c9c381' }, false],
])('%i: %s', async (code, message, fields, validation) => {
  const payload = { blockStateCalls: [{ calls: [{ from, to, ...fields }] }], validation };
  const simulated = new TestNode().call('eth_simulateV1', payload);
  await expect(simulated).rejects.toMatchObject({ code, message });
});

test('nothing to simulate is an error', async () => {
  await expect(simulate(new TestNode())).rejects.toMatchObject({
    code: -32602,
    message: 'empty input',
  });
});

test('viem simulates blocks and calls', async () => {
  const viem = viemOf();
  const tokenAddress = await deployToken(viem);
  const contract = { to: tokenAddress, abi: token.abi } as const;
  const { results } = await viem.client.simulateCalls({
    account: alice.address,
    calls: [
      { ...contract, functionName: 'transfer', args: [bob.address, 3n] },
      { ...contract, functionName: 'balanceOf', args: [bob.address] },
    ],
  });
  expect(results).toMatchObject([{ status: 'success' }, { status: 'success', result: 3n }]);
  const [block] = await viem.client.simulateBlocks({
    blocks: [
      {
        stateOverrides: [{ address: stranger, balance: parseEther('1') }],
        calls: [{ account: stranger, to: bob.address, value: 1n }],
      },
    ],
    traceTransfers: true,
  });
  expect(block).toMatchObject({ number: 2n, calls: [{ status: 'success', gasUsed: 21_000n }] });
});

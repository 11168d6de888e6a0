import { expect, test } from 'vitest';
import { bob, deployToken, stranger, token, viemOf } from './testing/test-clients.ts';
import { TestNode } from './testing/test-node.ts';

async function transfer() {
  const viem = viemOf();
  const address = await deployToken(viem);
  const write = { address, abi: token.abi, functionName: 'transfer' } as const;
  const hash = await viem.wallet.writeContract({ ...write, args: [bob.address, 1n] });
  return { ...viem, address, hash };
}

interface StructLog {
  readonly op: string;
  readonly gas: number;
  readonly gasCost: number;
  readonly stack?: readonly string[];
  readonly memory?: readonly string[];
  readonly storage?: Readonly<Record<string, string>>;
}

interface StructTrace {
  readonly gas: number;
  readonly failed: boolean;
  readonly returnValue: string;
  readonly structLogs: readonly StructLog[];
}

test('a trace has every step with its cost, stack and the slots it touched', async () => {
  const { node, client, hash } = await transfer();
  const trace = (await node.call('debug_traceTransaction', hash)) as StructTrace;
  const { gasUsed } = await client.getTransactionReceipt({ hash });
  expect(trace).toMatchObject({ gas: Number(gasUsed), failed: false });
  expect(BigInt(trace.returnValue)).toBe(1n);
  const stores = trace.structLogs.filter(({ op }) => op === 'SSTORE');
  expect(stores.map(({ storage }) => Object.values(storage!).map(Number))).toEqual([
    [999_999],
    [999_999, 1],
  ]);
  const [load] = trace.structLogs.filter(({ op }) => op === 'SLOAD');
  expect(Object.values(load!.storage!).map(Number)).toEqual([1_000_000]);
  const config = { disableStack: true, disableStorage: true, enableMemory: true };
  const other = (await node.call('debug_traceTransaction', hash, config)) as StructTrace;
  expect(other.structLogs[0]).not.toHaveProperty('memory');
  const last = other.structLogs.at(-1)!;
  expect(last).not.toHaveProperty('stack');
  expect(last.memory!.every((word) => word.length === 66)).toBe(true);
});

test('callTracer shows calls and, if asked, logs', async () => {
  const { node, hash, address } = await transfer();
  const config = { tracer: 'callTracer', tracerConfig: { withLog: true } };
  expect(await node.call('debug_traceTransaction', hash, config)).toMatchObject({
    type: 'CALL',
    to: address.toLowerCase(),
    value: '0x0',
    logs: [{ address: address.toLowerCase(), position: '0x0' }],
  });
  const [traced] = (await node.call('debug_traceBlockByNumber', '0x2', config)) as object[];
  expect(traced).toMatchObject({ txHash: hash, result: { type: 'CALL' } });
});

test('a call is traced with other code and without a trace in the state', async () => {
  const node = new TestNode();
  // PUSH0 PUSH0 REVERT
  const config = { tracer: 'callTracer', stateOverrides: { [stranger]: { code: '0x5f5ffd' } } };
  const request = { to: stranger, gas: '0x10000' };
  expect(await node.call('debug_traceCall', request, 'latest', config)).toMatchObject({
    gas: '0x10000',
    error: 'execution reverted',
  });
  expect(await node.call('eth_getCode', stranger)).toBe('0x');
});

test('what can not be traced is told', async () => {
  const { node, hash } = await transfer();
  const unknown = `0x${'00'.repeat(31)}01`;
  await expect(node.call('debug_traceTransaction', unknown)).rejects.toMatchObject({
    code: -32000,
    message: 'transaction not found',
  });
  await expect(node.call('debug_traceBlockByNumber', '0x0')).rejects.toThrow(
    'genesis is not traceable',
  );
  await expect(node.call('debug_traceBlockByHash', unknown)).rejects.toThrow(
    `block ${unknown} not found`,
  );
  await expect(
    node.call('debug_traceTransaction', hash, { tracer: 'prestateTracer' }),
  ).rejects.toThrow("tracer 'prestateTracer' is not supported");
});

test('storage is listed in the order of hashes, in pages, behind any transaction of a block', async () => {
  const { node, client, address, hash } = await transfer();
  const { blockHash } = await client.getTransactionReceipt({ hash });
  interface Range {
    readonly storage: Readonly<Record<string, { readonly key: string; readonly value: string }>>;
    readonly nextKey: string | null;
  }
  const range = (index: number, from: string, max: number): Promise<Range> =>
    node.call('debug_storageRangeAt', blockHash, index, address, from, max) as Promise<Range>;
  const whole = await range(1, '0x', 10);
  expect(whole.nextKey).toBeNull();
  const hashes = Object.keys(whole.storage);
  expect(hashes).toEqual(hashes.toSorted());
  expect(Object.values(whole.storage).map(({ value }) => Number(value))).toContain(999_999);
  const before = await range(0, '0x', 10);
  expect(Object.values(before.storage).map(({ value }) => Number(value))).toContain(1_000_000);
  const first = await range(1, '0x', 1);
  const second = await range(1, first.nextKey!, 10);
  expect({ ...first.storage, ...second.storage }).toEqual(whole.storage);
  await expect(range(1, '0x', 1025)).rejects.toMatchObject({ code: -32602 });
});

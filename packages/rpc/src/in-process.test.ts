import { expect, test } from 'vitest';
import { connectInProcess } from './in-process.ts';
import type { RequestRecord } from './request-record.ts';
import { RpcError } from './rpc-error.ts';
import type { RpcService, RpcSession } from './service.ts';

let session: RpcSession | undefined;
const closed: string[] = [];
const heard: unknown[] = [];
let heardWithin = -1;
const service: RpcService = {
  call(method, params, caller) {
    switch (method) {
      case 'echo':
        return params;
      case 'later':
        return Promise.resolve(params);
      case 'subscribe':
        session = caller;
        caller.notify?.('eth_subscription', { subscription: '0x1', result: 1 });
        heardWithin = heard.length;
        caller.onClose(() => closed.push('closed'));
        return '0x1';
      case 'revert':
        throw new RpcError(3, 'execution reverted', '0x08c3');
      default:
        throw new TypeError('a bug');
    }
  },
};

test('values go both ways as they are', async () => {
  using provider = connectInProcess(service);
  const params = [1n, new Uint8Array(3)];
  expect(await provider.request({ method: 'echo', params })).toBe(params);
  expect(await provider.request({ method: 'later', params })).toBe(params);
  expect(await provider.request({ method: 'echo' })).toBeNull();
});

test('errors are those of EIP-1193', async () => {
  using provider = connectInProcess(service);
  const error = await provider.request({ method: 'revert' }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'ProviderRpcError',
    code: 3,
    message: 'execution reverted',
    data: '0x08c3',
  });
});

test('a bug is reported, and told with its cause', async () => {
  const bugs: unknown[] = [];
  using provider = connectInProcess(service, { onBug: (error) => bugs.push(error) });
  await expect(provider.request({ method: 'other' })).rejects.toMatchObject({
    code: -32603,
    message: 'internal error',
    cause: expect.any(TypeError),
  });
  expect(bugs).toHaveLength(1);
});

test.each([
  [{ method: '' }, /method/],
  [{ method: 5 as never }, /method/],
  [{ method: 'echo', params: 'x' }, /params/],
])('%j is an invalid request', async (call, message) => {
  using provider = connectInProcess(service);
  await expect(provider.request(call)).rejects.toMatchObject({
    code: -32600,
    message: expect.stringMatching(message),
  });
});

test('notifications are messages, heard after their call has returned', async () => {
  using provider = connectInProcess(service);
  const listener = (message: unknown): void => void heard.push(message);
  expect(provider.on('message', listener).on('chainChanged', listener)).toBe(provider);
  await provider.request({ method: 'subscribe' });
  expect(heardWithin).toBe(0);
  const message = { type: 'eth_subscription', data: { subscription: '0x1', result: 1 } };
  expect(heard).toEqual([message]);
  provider.removeListener('message', listener);
  session?.notify?.('eth_subscription', 2);
  await Promise.resolve();
  expect(heard).toEqual([message]);
});

test('the end of a connection ends its subscriptions', async () => {
  const provider = connectInProcess(service);
  await provider.request({ method: 'subscribe' });
  closed.length = 0;
  provider[Symbol.dispose]();
  provider[Symbol.dispose]();
  expect(closed).toEqual(['closed']);
  session?.onClose(() => closed.push('too late'));
  expect(closed).toEqual(['closed', 'too late']);
  await expect(provider.request({ method: 'echo' })).rejects.toMatchObject({ code: 4900 });
});

test('calls are recorded', async () => {
  const records: RequestRecord[] = [];
  using provider = connectInProcess(service, { onRequest: (record) => records.push(record) });
  await provider.request({ method: 'echo', params: [1] });
  await provider.request({ method: 'revert' }).catch(() => {});
  expect(records).toMatchObject([
    { transport: 'in-process', method: 'echo', params: [1], error: undefined },
    { method: 'revert', error: { code: 3, message: 'execution reverted' } },
  ]);
});

import { expect, test } from 'vitest';
import { alice, bob, deployToken, token, viemOf } from './testing/test-clients.ts';
import { TestNode } from './testing/test-node.ts';

test('a connection hears of heads, logs and waiting transactions', async () => {
  const viem = viemOf();
  const { node, wallet } = viem;
  const address = await deployToken(viem);
  const heads = node.call('eth_subscribe', 'newHeads');
  const logs = node.call('eth_subscribe', 'logs', { address });
  const pending = node.call('eth_subscribe', 'newPendingTransactions');
  const whole = node.call('eth_subscribe', 'newPendingTransactions', true);
  expect(node.call('eth_subscribe', 'syncing')).toMatch(/^0x/);
  const hash = await wallet.writeContract({
    address,
    abi: token.abi,
    functionName: 'transfer',
    args: [bob.address, 4n],
  });
  const told = node.notifications.map(({ params }) => params as Told);
  const from = (subscription: unknown): unknown[] =>
    told.filter((one) => one.subscription === subscription).map(({ result }) => result);
  expect(node.notifications.every(({ method }) => method === 'eth_subscription')).toBe(true);
  expect(from(heads)).toMatchObject([{ number: '0x2' }]);
  expect(from(logs)).toMatchObject([{ address, transactionHash: hash, logIndex: '0x0' }]);
  expect(from(pending)).toEqual([hash]);
  expect(from(whole)).toMatchObject([{ hash, from: alice.address.toLowerCase() }]);
});

interface Told {
  readonly subscription: string;
  readonly result: unknown;
}

test('a subscription ends when it is asked to, and with its connection', async () => {
  const node = new TestNode();
  const id = node.call('eth_subscribe', 'newHeads');
  await node.call('evm_mine');
  expect(node.call('eth_unsubscribe', id)).toBe(true);
  expect(() => node.call('eth_unsubscribe', id)).toThrow('subscription not found');
  await node.call('evm_mine');
  expect(node.notifications).toHaveLength(1);
  node.call('eth_subscribe', 'newHeads');
  node.close();
  await node.call('evm_mine');
  expect(node.notifications).toHaveLength(1);
});

test('a connection that can not be told anything can not subscribe', () => {
  const { service } = new TestNode();
  const session = { notify: undefined, onClose: () => {} };
  expect(() => service.call('eth_subscribe', ['newHeads'], session)).toThrow(
    'notifications not supported',
  );
});

test('a connection has only so many subscriptions', () => {
  const node = new TestNode({ limits: { subscriptions: 2 } });
  for (let i = 0; i < 2; i++) node.call('eth_subscribe', 'newHeads');
  expect(() => node.call('eth_subscribe', 'newHeads')).toThrow('more than 2 subscriptions');
  expect(() => node.call('eth_subscribe', 'nothing')).toThrow('no "nothing" subscription');
});

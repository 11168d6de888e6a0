import { expect, test } from 'vitest';
import { HostError } from '@polyvisor/errors/host-error';
import { RpcError } from '@polyvisor/rpc/rpc-error';
import { createEthService } from './eth-service.ts';
import { TestNode, testAccounts } from './testing/test-node.ts';
import { bytesToHex } from '@polyvisor/bytes/hex';

const [from, to] = testAccounts.map(({ address }) => bytesToHex(address));

/** A service over the same machine, some of what the host gives replaced. */
function serviceWith(changes: Partial<Parameters<typeof createEthService>[0]>) {
  const node = new TestNode();
  const service = createEthService({ ...node.context, ...changes });
  return {
    node,
    call: (method: string, ...params: unknown[]) => service.call(method, params, node.session),
  };
}

test('a guest that can not answer says why', () => {
  const { call } = serviceWith({
    checkOpen: () => {
      throw new HostError('guest-failed', "guest 'l1' failed: memory limit");
    },
  });
  expect(() => call('eth_chainId')).toThrow(RpcError);
  expect(() => call('eth_chainId')).toThrow("guest 'l1' failed: memory limit");
  expect(() => call('eth_nothing')).toThrow('does not exist');
});

test('a guest that fails while it works says why', async () => {
  const { call } = serviceWith({
    settle: () => Promise.reject(new HostError('guest-failed', 'memory limit')),
  });
  await expect(call('eth_call', { to })).rejects.toMatchObject({
    name: 'RpcError',
    code: -32000,
    message: 'memory limit',
  });
});

test('nobody is told of a change before it can not be lost', async () => {
  const committed = Promise.withResolvers<void>();
  const { node, call } = serviceWith({ committed: () => committed.promise });
  call('eth_subscribe', 'newHeads');
  let isAnswered = false;
  const sent = Promise.resolve(call('eth_sendTransaction', { from, to })).then((hash) => {
    isAnswered = true;
    return hash;
  });
  await new Promise((resolve) => setTimeout(resolve));
  expect(call('eth_blockNumber')).toBe('0x1');
  expect(isAnswered).toBe(false);
  expect(node.notifications).toEqual([]);
  committed.resolve();
  expect(await sent).toMatch(/^0x/);
  await new Promise((resolve) => setTimeout(resolve));
  expect(node.notifications).toHaveLength(1);
});

test('an error of ours is not dressed as the client’s', () => {
  const { call } = serviceWith({
    nowMs: () => {
      throw new TypeError('a bug');
    },
  });
  expect(() => call('eth_newBlockFilter')).toThrow(TypeError);
});

test('before London a transaction is sent with a gas price', async () => {
  const node = new TestNode({ genesis: { hardfork: 'berlin' } });
  const hash = await node.call('eth_sendTransaction', { from, to });
  expect(node.call('eth_getTransactionByHash', hash)).toMatchObject({ type: '0x0' });
  const block = node.call('eth_getBlockByNumber', 'latest');
  expect(block).not.toHaveProperty('baseFeePerGas');
  await expect(async () => node.call('anvil_setNextBlockBaseFeePerGas', 1)).rejects.toThrow(
    'there is no base fee in berlin',
  );
});

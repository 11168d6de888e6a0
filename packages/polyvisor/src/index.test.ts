import { HostError, createHost, evm, linux } from 'polyvisor';
import { defineConfig } from 'polyvisor/config';
import { expect, test } from 'vitest';

test('evm() parts the limits of any guest from the options of a chain', () => {
  const limits = { name: 'l1', memory: '64MiB', storage: '1GiB', cpu: { weight: 2 } } as const;
  expect(evm({ ...limits, network: 'none', chainId: 5, port: 0 })).toEqual({
    kind: 'evm',
    ...limits,
    network: 'none',
    options: { chainId: 5, port: 0 },
  });
  expect(evm()).toEqual({ kind: 'evm', options: {} });
  expect(linux({ ...limits, ram: '1GiB' })).toEqual({
    kind: 'linux',
    ...limits,
    options: { ram: '1GiB' },
  });
});

test('a host and a chain, through the one door', async () => {
  await using host = await createHost();
  const chain = await host.create(evm({ chainId: 5 }));
  expect(await chain.provider.request({ method: 'eth_chainId' })).toBe('0x5');
  await expect(host.create(evm({ chainId: 0 }))).rejects.toThrow(HostError);
});

test('a configuration is what was written', () => {
  const config = { guests: { l1: evm() } };
  expect(defineConfig(config)).toBe(config);
});

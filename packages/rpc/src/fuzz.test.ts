import { expect, test } from 'vitest';
import { fuzzRpc } from './fuzz.ts';
import { RpcError } from './rpc-error.ts';
import type { RpcService } from './service.ts';

const service: RpcService = {
  call(method, params) {
    switch (method) {
      case 'now':
        return params;
      case 'later':
        return new Promise((resolve) => {
          setImmediate(resolve, params);
        });
      case 'fail':
        throw new RpcError(3, 'execution reverted', params);
      default:
        throw new RpcError(-32601, 'no such method');
    }
  },
};

test('every message of hostile clients has exactly its answers', async () => {
  const methods = ['now', 'later', 'fail'];
  const report = await fuzzRpc({ seed: 1, n: 2500, service, methods });
  expect(report.requests).toBe(2500);
  for (const code of [3, -32700, -32600, -32601, -32005]) {
    expect(report.errorsByCode[code]).toBeGreaterThan(10);
  }
  for (const status of [200, 204, 403, 413]) {
    expect(report.httpByStatus[status]).toBeGreaterThan(5);
  }
});

test('a service whose answer is a bug is found', async () => {
  const buggy: RpcService = { call: () => 1n };
  await expect(fuzzRpc({ seed: 1, n: 100, service: buggy, methods: ['x'] })).rejects.toThrow(
    /^seed 1, case \d+, /,
  );
});

import { methodsByName } from '@polyvisor/rpc-eth/methods';
import { TestNode } from '@polyvisor/rpc-eth/testing/test-node';
import { fuzzRpc } from '@polyvisor/rpc/fuzz';
import type { Fuzz } from './fuzz.ts';

/** Broken and hostile requests to a real server of an Ethereum guest, over HTTP and WebSocket. */
export const fuzz: Fuzz = {
  summary: 'malformed requests over HTTP and WebSocket; every one gets its own well-formed answer',
  run: async ({ seed, n }) => {
    const { service, machine } = new TestNode();
    const head = machine.state.head.hash;
    const methods = [...methodsByName.keys()];
    const report = await fuzzRpc({ seed, n, service, methods });
    if (machine.state.head.header.number === 0n && machine.state.head.hash !== head) {
      throw new Error('block 0 is another');
    }
    const byCode = Object.entries(report.errorsByCode).map(([code, count]) => [
      `error ${code}`,
      count,
    ]);
    const byStatus = Object.entries(report.httpByStatus).map(([code, count]) => [
      `HTTP ${code}`,
      count,
    ]);
    return {
      requests: report.requests,
      answers: report.answers,
      ...Object.fromEntries([...byCode, ...byStatus]),
    };
  },
};

import { connect } from 'node:net';
import { Anvil, freePort } from './anvil.ts';
import { type Bench, compare } from './harness.ts';
import { peerVersion } from './peers.ts';
import { Spawned, cli, httpRequest, untilAnswer } from './spawned.ts';

const CONNECTIONS = 32;
const SECONDS = 2;
const CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}';

/** `eth_chainId` answered in a second, over kept connections that each wait for their answer. */
export const bench: Bench = {
  summary: `requests a second over ${CONNECTIONS} connections, against ${peerVersion('@foundry-rs/anvil')}`,
  run: async ({ rounds }) => {
    await using anvil = await Anvil.start();
    const port = await freePort();
    await using _ours = new Spawned(process.execPath, [
      cli,
      'evm',
      '--port',
      `${port}`,
      '--silent',
    ]);
    await untilAnswer(port, CHAIN_ID, performance.now());
    const anvilPort = Number(new URL(anvil.url).port);
    const ours: number[] = [];
    const peer: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await throughput(port));
      peer.push(await throughput(anvilPort));
    }
    return { eth_chainId: compare(ours, peer, 'requests/s', 'rate') };
  },
};

async function throughput(port: number): Promise<number> {
  const request = Buffer.from(httpRequest(port, CHAIN_ID));
  const startMs = performance.now();
  const endMs = startMs + SECONDS * 1000;
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => requestUntil(port, request, endMs)),
  );
  const seconds = (performance.now() - startMs) / 1000;
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

function requestUntil(port: number, request: Buffer, endMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let count = 0;
    socket.on('connect', () => socket.write(request));
    socket.on('error', reject);
    // Answers are short and come whole.
    socket.on('data', (chunk) => {
      if (!chunk.includes('"result"')) return;
      count++;
      if (performance.now() < endMs) socket.write(request);
      else {
        socket.destroy();
        resolve(count);
      }
    });
  });
}

import { join } from 'node:path';
import { anvilWrapper, freePort } from './anvil.ts';
import { type Bench, compare } from './harness.ts';
import { peerVersion } from './peers.ts';
import { Spawned, cli, untilAnswer } from './spawned.ts';

const CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}';

/** From the start of a process to its first answer to `eth_chainId`. */
export const bench: Bench = {
  summary: `process start to first RPC answer, against a bare node:http server and ${peerVersion('@foundry-rs/anvil')} by its npm wrapper`,
  run: async ({ rounds }) => {
    const ours: number[] = [];
    const bare: number[] = [];
    const anvil: number[] = [];
    // The first start of ours fills Node's compile cache: users meet that once.
    await measure((port) => [cli, 'evm', '--port', port, '--silent']);
    for (let round = 0; round < rounds; round++) {
      ours.push(await measure((port) => [cli, 'evm', '--port', port, '--silent']));
      bare.push(await measure((port) => [join(import.meta.dirname, 'bare-server.mjs'), port]));
      anvil.push(await measure((port) => [anvilWrapper(), '--port', port, '--silent']));
    }
    return {
      'against a bare server': compare(ours, bare, 'ms'),
      'against anvil from npm': compare(ours, anvil, 'ms'),
    };
  },
};

async function measure(parameters: (port: string) => string[]): Promise<number> {
  const port = await freePort();
  const startMs = performance.now();
  await using _process = new Spawned(process.execPath, parameters(String(port)));
  return await untilAnswer(port, CHAIN_ID, startMs);
}

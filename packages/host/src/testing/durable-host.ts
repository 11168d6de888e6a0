import { createHost } from '../host.ts';

/**
 * A host process to be killed: `node durable-host.ts DIRECTORY`. It makes a chain if there is none, writes its URL to
 * standard output, and ends when its standard input does.
 */
const host = await createHost({ dataDirectory: process.argv[2] as string });
if (host.guests.size === 0) await host.create({ kind: 'evm', name: 'l1', options: { port: 0 } });
process.stdout.write(`${host.guest('l1').endpoints[0]?.url}\n`);
process.stdin.on('end', () => void host.close()).resume();

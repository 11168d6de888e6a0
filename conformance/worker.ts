import { parentPort, workerData } from 'node:worker_threads';
import type { RunFile, RunOptions } from './suite.ts';

/** Runs files of one suite as they come. */
const { runner, options } = workerData as { runner: string; options: RunOptions };
const { runFile } = (await import(runner)) as { runFile: RunFile };
const port = parentPort!;
port.on('message', async ({ path, bytes }: { path: string; bytes: Uint8Array }) => {
  port.postMessage(await runFile(path, Buffer.from(bytes).toString('utf8'), options));
});
port.postMessage('ready');

import { parentPort, workerData } from 'node:worker_threads';
import type { RunFile, RunOptions } from './suite.ts';

/** Runs files of one suite as they come. */
const { runner, options } = workerData as { runner: string; options: RunOptions };
const { runFile } = (await import(runner)) as { runFile: RunFile };
const port = parentPort!;
port.on('message', ({ path, bytes }: { path: string; bytes: Uint8Array }) => {
  // One file at a time: the next comes after the answer. A rejection ends the worker with its error.
  void Promise.resolve(runFile(path, Buffer.from(bytes).toString('utf8'), options)).then((result) =>
    port.postMessage(result),
  );
});
port.postMessage('ready');

import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { foldersOf } from './folders.ts';
import type { CaseNote, FileResult, Inputs, RunOptions, Suite } from './suite.ts';
import { emptyResult } from './suite.ts';
import type { TarFile } from './tar.ts';
import { openVectors } from './vectors.ts';

export interface SuiteRun extends FileResult {
  readonly files: number;
}

/**
 * Runs a suite over `jobs` worker threads, a file at a time each.
 * @throws VectorsMissing when the data is not there
 */
export async function runSuite(
  suite: Suite,
  options: RunOptions,
  jobs: number,
  onProgress: (run: SuiteRun) => void,
): Promise<SuiteRun> {
  const source = await openSource(suite, options);
  const files = (suite.byFolder ? foldersOf(source) : source)[Symbol.asyncIterator]();
  const total = { ...emptyResult(), files: 0 };
  const next = oneAtATime(async (): Promise<TarFile | undefined> => {
    for (;;) {
      const { done, value } = await files.next();
      if (done === true) return undefined;
      if (suite.accepts(value.path)) return value;
    }
  });
  await Promise.all(
    Array.from({ length: jobs }, () =>
      drain(suite, options, next, (result) => {
        total.passed += result.passed;
        total.failures.push(...result.failures);
        total.skipped.push(...result.skipped);
        total.files++;
        onProgress(total);
      }),
    ),
  );
  const byName = (a: CaseNote, b: CaseNote): number => (a.name < b.name ? -1 : 1);
  total.failures.sort(byName);
  total.skipped.sort(byName);
  return total;
}

async function openSource(
  { source }: Suite,
  { elfFolder }: RunOptions,
): Promise<AsyncIterable<TarFile>> {
  if (typeof source === 'string') return openVectors(source);
  const { inputs } = (await import(source.module)) as { inputs: Inputs };
  return Readable.from(inputs(elfFolder));
}

/** One worker, until there are no more files. */
async function drain(
  suite: Suite,
  options: RunOptions,
  next: () => Promise<TarFile | undefined>,
  onResult: (result: FileResult) => void,
): Promise<void> {
  const workerData = { runner: suite.runner, options };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  try {
    await answer(worker, '(start)');
    for (let file = await next(); file !== undefined; file = await next()) {
      const excuse = suite.excluded[file.path];
      if (excuse !== undefined) {
        onResult({ ...emptyResult(), skipped: [{ name: file.path, reason: excuse }] });
        continue;
      }
      worker.postMessage({ path: file.path, bytes: file.bytes });
      onResult((await answer(worker, file.path)) as FileResult);
    }
  } finally {
    await worker.terminate();
  }
}

function answer(worker: Worker, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(new Error(`${path}: ${error}`, { cause: error }));
    worker.once('error', fail);
    worker.once('message', (message) => {
      worker.off('error', fail);
      resolve(message);
    });
  });
}

/** Calls of an asynchronous function, in turn. */
function oneAtATime<T>(call: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const mine = last.then(call);
    last = mine.catch(() => {});
    return mine;
  };
}

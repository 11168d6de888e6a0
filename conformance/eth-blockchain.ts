import { type BlockchainTestFile, runBlockchainCase } from './blockchain-test.ts';
import { type FileResult, type RunOptions, book, emptyResult } from './suite.ts';

/** Every case of a file of blockchain tests. */
export function runFile(_path: string, content: string, options: RunOptions): FileResult {
  const result = emptyResult();
  const tests = JSON.parse(content) as BlockchainTestFile;
  for (const [name, test] of Object.entries(tests)) {
    if (options.forks !== undefined && !options.forks.includes(test.network.toLowerCase()))
      continue;
    book(result, name, options, () => runBlockchainCase(test, options.tier));
  }
  return result;
}

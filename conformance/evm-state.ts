import { type StateTestFile, runStateCase } from './state-test.ts';
import { type FileResult, type RunOptions, book, emptyResult } from './suite.ts';

/** Every case of a file of state tests: one per test, fork, and choice of data, gas and value. */
export function runFile(_path: string, content: string, options: RunOptions): FileResult {
  const result = emptyResult();
  const tests = JSON.parse(content) as StateTestFile;
  for (const [testName, test] of Object.entries(tests)) {
    for (const [fork, posts] of Object.entries(test.post)) {
      if (options.forks !== undefined && !options.forks.includes(fork.toLowerCase())) continue;
      posts.forEach((post, index) => {
        const name = posts.length === 1 ? `${testName} ${fork}` : `${testName} ${fork} #${index}`;
        book(result, name, options, () => runStateCase(test, fork, post, options.tier));
      });
    }
  }
  return result;
}

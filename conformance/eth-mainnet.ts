import { type MainnetBlock, runMainnetBlock } from './mainnet-block.ts';
import { type FileResult, type RunOptions, book, emptyResult } from './suite.ts';

/** One block of mainnet with what it was executed on. */
export function runFile(path: string, content: string, options: RunOptions): FileResult {
  const result = emptyResult();
  book(result, path, options, () =>
    runMainnetBlock(JSON.parse(content) as MainnetBlock, options.tier),
  );
  return result;
}

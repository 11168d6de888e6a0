import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { tiers } from '@polyvisor/evm/compiler/code-cache';
import { runSuite } from './run-suite.ts';
import { suites } from './suites.ts';
import { VectorsMissing } from './vectors.ts';

/** `npm run conf -- <suite>`: closes with `N passed, N failed, N skipped`; exit code 1 when a case failed. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fork: { type: 'string' },
    filter: { type: 'string' },
    tier: { type: 'string', default: 'mixed' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    failures: { type: 'string', default: '20' },
    'elf-dir': { type: 'string' },
  },
});
const [name] = positionals;
const suite = Object.hasOwn(suites, name ?? '') ? suites[name!] : undefined;
if (suite === undefined) {
  console.error(
    'usage: npm run conf -- <suite> [--fork A,B] [--filter TEXT] [--jobs N] [--tier T] [--elf-dir D]\n',
  );
  for (const [id, { summary }] of Object.entries(suites))
    console.error(`  ${id.padEnd(16)} ${summary}`);
  process.exit(2);
}

const startMs = performance.now();
const forks = values.fork?.toLowerCase().split(',');
const tier = tiers.find((known) => known === values.tier);
if (tier === undefined) {
  console.error(`--tier is one of ${tiers.join(', ')}`);
  process.exit(2);
}
const options = {
  forks,
  filter: values.filter,
  tier,
  excluded: suite.excluded,
  elfFolder: values['elf-dir'],
};
try {
  const run = await runSuite(suite, options, Math.max(1, Number(values.jobs)), progress());
  for (const { name: skipped, reason } of run.skipped) console.log(`skipped ${skipped}: ${reason}`);
  for (const failure of run.failures.slice(0, Number(values.failures))) {
    console.log(`FAILED  ${failure.name}\n  ${failure.reason}`);
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const origin = typeof suite.source === 'string' ? ` of ${suite.source}` : '';
  const forked = forks === undefined ? '' : ` (forks ${forks.join(', ')})`;
  console.log(`${name}${forked}: ${run.files} files${origin} in ${seconds} s`);
  console.log(`${run.passed} passed, ${run.failures.length} failed, ${run.skipped.length} skipped`);
  process.exit(run.failures.length > 0 ? 1 : 0);
} catch (error) {
  if (!(error instanceof VectorsMissing)) throw error;
  console.log(`SKIPPED ${name}: ${error.message}`);
  console.log('0 passed, 0 failed, 0 skipped');
}

/** A line that counts up, on a terminal only. */
function progress(): Parameters<typeof runSuite>[3] {
  if (!process.stderr.isTTY) return () => {};
  let nextMs = 0;
  return ({ files, passed, failures }) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + 200;
    process.stderr.write(`\r${files} files, ${passed} passed, ${failures.length} failed `);
  };
}

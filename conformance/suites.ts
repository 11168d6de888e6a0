import type { Suite } from './suite.ts';

/** All suites, by the name that `npm run conf -- <name>` takes. */
export const suites: Readonly<Record<string, Suite>> = {
  'evm-state': {
    summary: 'Ethereum state tests, Frontier to Osaka, on the EVM engine',
    archive: 'eest-v5.4.0-state_tests.tar.zst',
    accepts: (path) => path.endsWith('.json') && !path.includes('/.meta/'),
    runner: './evm-state.ts',
    excluded: {
      'state_tests/static/state_tests/stStackTests/underflowTest.json':
        'the fixtures repository has a Git LFS pointer in its place',
    },
  },
};

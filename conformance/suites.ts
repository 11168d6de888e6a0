import type { Suite } from './suite.ts';

/** All suites, by the name that `npm run conf -- <name>` takes. */
export const suites: Readonly<Record<string, Suite>> = {
  'evm-state': {
    summary: 'Ethereum state tests, Frontier to Osaka, on the EVM engine',
    source: 'eest-v5.4.0-state_tests.tar.zst',
    accepts: (path) => path.endsWith('.json') && !path.includes('/.meta/'),
    runner: './evm-state.ts',
    excluded: gitLfsPointers(['state_tests/static/state_tests/stStackTests/underflowTest.json']),
  },
  riscv: {
    summary: 'RISC-V instructions by the table; or riscv-tests, built elsewhere, with --elf-dir',
    source: { module: './riscv.ts' },
    accepts: () => true,
    runner: './riscv.ts',
    excluded: {},
  },
  'computer-boot': {
    summary:
      'Debian on the RISC-V computer: busybox, systemd, its installer; or what lies in --elf-dir',
    source: { module: './computer-boot.ts' },
    accepts: () => true,
    runner: './computer-boot.ts',
    excluded: {},
  },
  'computer-disk': {
    summary: "A computer's ext4 disk after kill -9 of its host during writes, judged by e2fsck",
    source: { module: './computer-disk.ts' },
    accepts: () => true,
    runner: './computer-disk.ts',
    excluded: {},
  },
  rlp: {
    summary: 'RLP, canonical and not',
    source: 'ethereum-tests-misc.tar.zst',
    accepts: (path) => /(^|\/)RLPTests\/.*\.json$/.test(path),
    runner: './rlp.ts',
    excluded: {},
  },
  'eth-mainnet': {
    summary: 'Blocks of Ethereum mainnet, Frontier to Cancun, on the chain',
    source: 'ethereum-mainnet-blocks.tar.zst',
    accepts: () => true,
    byFolder: true,
    runner: './eth-mainnet.ts',
    excluded: withReason(
      'the archive lacks the code of its contracts',
      [12_964_999, 14_334_629, 14_545_870, 19_498_855, 19_638_737, 19_917_570, 19_932_810].map(
        (number) => `./blocks/${number}`,
      ),
    ),
  },
  'eth-blockchain': {
    summary: 'Ethereum blockchain tests, Frontier to Osaka and the BPO forks, on the chain',
    source: 'eest-v5.4.0-blockchain_tests.tar.zst',
    accepts: (path) => path.endsWith('.json') && !path.includes('/.meta/'),
    runner: './eth-blockchain.ts',
    excluded: gitLfsPointers([
      'blockchain_tests/berlin/eip2930_access_list/test_tx_intrinsic_gas.json',
      'blockchain_tests/cancun/eip4844_blobs/test_sufficient_balance_blob_tx.json',
      'blockchain_tests/frontier/scenarios/test_scenarios.json',
      'blockchain_tests/osaka/eip7934_block_rlp_limit/test_block_at_rlp_size_limit_boundary.json',
      'blockchain_tests/osaka/eip7934_block_rlp_limit/test_block_rlp_size_at_limit_with_all_typed_transactions.json',
      'blockchain_tests/osaka/eip7934_block_rlp_limit/test_fork_transition_block_rlp_limit.json',
      'blockchain_tests/prague/eip2537_bls_12_381_precompiles/test_valid.json',
      'blockchain_tests/static/state_tests/stPreCompiledContracts/precompsEIP2929Cancun.json',
      'blockchain_tests/static/state_tests/stStackTests/underflowTest.json',
      'blockchain_tests/static/state_tests/stTimeConsuming/sstore_combinations_initial01_2_Paris.json',
      'blockchain_tests/static/state_tests/stTimeConsuming/sstore_combinations_initial11_2_Paris.json',
      'blockchain_tests/static/state_tests/stTimeConsuming/sstore_combinations_initial21_2_Paris.json',
    ]),
  },
};

/** Files that the fixtures repository has no content of. */
function gitLfsPointers(paths: readonly string[]): Suite['excluded'] {
  return withReason('the fixtures repository has a Git LFS pointer in its place', paths);
}

function withReason(reason: string, names: readonly string[]): Suite['excluded'] {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

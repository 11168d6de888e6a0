/** Archives of conformance data: a file of `POLYVISOR_VECTORS`, and where the same data comes from otherwise. */
export const archives = {
  'eest-v5.4.0-state_tests.tar.zst':
    'erigontech/eest-fixtures@ec66995f0d:state_tests (ethereum/execution-spec-tests v5.4.0)',
  'eest-v5.4.0-blockchain_tests.tar.zst':
    'erigontech/eest-fixtures@ec66995f0d:blockchain_tests (ethereum/execution-spec-tests v5.4.0)',
  'ethereum-tests-misc.tar.zst': 'ethereum/tests@4c87ebbf02',
  'ethereum-mainnet-blocks.tar.zst': 'risechain/pevm@9cbd856e74:blocks',
  'execution-apis-tests.tar.zst': 'ethereum/execution-apis@033ca6e69d:tests',
} as const;

export type ArchiveName = keyof typeof archives;

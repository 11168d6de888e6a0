import { bytesToHex } from '@polyvisor/bytes/hex';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { blobFeeBehind, feeBehind, feeHistory } from '@polyvisor/eth/fee-history';
import { type EthMachine, SUGGESTED_TIP } from '@polyvisor/eth/machine';
import { EthError } from '@polyvisor/eth/errors';
import { blockNumberOrTag } from './block-id.ts';
import { chainConfig } from './chain-config.ts';
import { type Method, method } from './method.ts';
import {
  type Parameter,
  count,
  data,
  invalidParams,
  list,
  optional,
  parameter,
  shown,
} from './parameters.ts';
import { quantityView } from './views.ts';

/**
 * Most percentiles of one `eth_feeHistory`.
 * @see go-ethereum, eth/gasprice/feehistory.go, maxQueryLimit
 */
export const PERCENTILES_MAX = 100;

const percentile: Parameter<number> = parameter('float64', (value) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 100)) {
    throw invalidParams(`invalid reward percentile: ${shown(value)}`);
  }
  return value;
});

export const chainMethods: readonly Method[] = [
  method({
    name: 'eth_chainId',
    summary: 'Chain id that transactions are signed for.',
    answer: ({ machine }) => quantityView(machine.state.settings.chainId),
  }),
  method({
    name: 'eth_blockNumber',
    summary: 'Number of the latest block.',
    answer: ({ machine }) => quantityView(machine.state.head.header.number),
  }),
  method({
    name: 'net_version',
    summary: 'Network id, in decimal: the chain id.',
    answer: ({ machine }) => machine.state.settings.chainId.toString(),
  }),
  method({ name: 'net_listening', summary: 'Always true.', answer: () => true }),
  method({ name: 'net_peerCount', summary: 'Always 0: it has no peers.', answer: () => '0x0' }),
  method({
    name: 'web3_clientVersion',
    summary: 'Name and version of the node.',
    answer: ({ clientVersion }) => clientVersion,
  }),
  method({
    name: 'web3_sha3',
    summary: 'Keccak-256 of the given bytes.',
    parameters: [data],
    answer: (_, [bytes]) => bytesToHex(keccak256(bytes)),
  }),
  method({
    name: 'eth_syncing',
    summary: 'Always false: nothing is synced from elsewhere.',
    answer: () => false,
  }),
  method({
    name: 'eth_mining',
    summary: 'Whether blocks are made without being asked for.',
    answer: ({ machine }) => machine.state.settings.mining.mode !== 'manual',
  }),
  method({
    name: 'eth_coinbase',
    summary: 'Account that the next blocks pay.',
    answer: ({ machine }) => bytesToHex(machine.state.settings.coinbase),
  }),
  method({
    name: 'eth_gasPrice',
    summary: 'Gas price that the next block takes: its base fee and the suggested tip, in wei.',
    answer: ({ machine }) => quantityView(nextBaseFee(machine) + SUGGESTED_TIP),
  }),
  method({
    name: 'eth_maxPriorityFeePerGas',
    summary: 'Suggested tip, in wei a unit of gas.',
    answer: () => quantityView(SUGGESTED_TIP),
  }),
  method({
    name: 'eth_baseFee',
    summary: 'Base fee of the next block, in wei.',
    answer: ({ machine }) => quantityView(nextBaseFee(machine)),
  }),
  method({
    name: 'eth_blobBaseFee',
    summary: 'Price of a unit of blob gas in the next block, in wei.',
    answer: ({ machine }) => quantityView(blobFeeBehind(machine.state.head, machine.hardfork)),
  }),
  method({
    name: 'eth_feeHistory',
    summary: 'Base fees, fullness and tips of past blocks.',
    parameters: [count, blockNumberOrTag, optional(list(percentile, PERCENTILES_MAX))],
    answer: ({ machine }, [blocks, newest, percentiles]) => {
      percentiles?.forEach((value, i) => {
        const before = percentiles[i - 1];
        if (before === undefined || before <= value) return;
        throw invalidParams(`invalid reward percentile: #${i - 1}:${before} > #${i}:${value}`);
      });
      const history = feeHistory(machine.state, machine.hardfork, blocks, newest, percentiles);
      if (!history) throw new EthError('request beyond head block');
      const { reward, gasUsedRatio, blobGasUsedRatio } = history;
      return {
        oldestBlock: quantityView(history.oldestBlock),
        ...(reward ? { reward: reward.map((tips) => tips.map(quantityView)) } : {}),
        baseFeePerGas: history.baseFeePerGas.map(quantityView),
        gasUsedRatio,
        baseFeePerBlobGas: history.baseFeePerBlobGas.map(quantityView),
        blobGasUsedRatio,
      };
    },
  }),
  method({
    name: 'eth_config',
    summary: 'Rules of the chain: fork, blob schedule, precompiles, system contracts (EIP-7910).',
    answer: ({ machine }) => chainConfig(machine),
  }),
  method({
    name: 'eth_capabilities',
    summary: 'From which block on each kind of data is there.',
    answer: ({ machine }) => {
      const { head } = machine.state;
      const oldest = head.header.number + 1n - BigInt(machine.options.historyBlocks);
      const always = { disabled: false, oldestBlock: '0x0' };
      const kept = { disabled: false, oldestBlock: quantityView(oldest > 0n ? oldest : 0n) };
      return {
        head: { number: quantityView(head.header.number), hash: bytesToHex(head.hash) },
        state: kept,
        tx: always,
        logs: always,
        receipts: always,
        blocks: always,
        stateproofs: kept,
      };
    },
  }),
  method({
    name: 'polyvisor_instance',
    summary: 'Id of this guest: another one for every chain.',
    answer: ({ instanceId }) => instanceId,
  }),
];

/** Base fee of the next block, in wei. */
export function nextBaseFee({ state, hardfork }: EthMachine): bigint {
  return state.settings.nextBaseFee ?? feeBehind(state.head, hardfork);
}

import { bytesToHex } from '@polyvisor/bytes/hex';
import { EthError } from '@polyvisor/eth/errors';
import { SUGGESTED_TIP } from '@polyvisor/eth/machine';
import { restart } from '@polyvisor/eth/restart';
import { rewind } from '@polyvisor/eth/state';
import { rpcCodes } from '@polyvisor/rpc/rpc-error';
import { nextBaseFee } from './chain.ts';
import { type Method, method } from './method.ts';
import { change } from './node.ts';
import {
  type Parameter,
  address,
  anything,
  count,
  data,
  flag,
  hash32,
  invalidParams,
  isRecord,
  optional,
  parameter,
  text,
  wholeNumber,
} from './parameters.ts';
import { dumpState, loadState } from './state-dump.ts';
import { quantityView } from './views.ts';

/** True where another chain is asked for. */
const resetRequest: Parameter<boolean> = parameter('ResetOptions', (value) => {
  const forking = isRecord(value) ? value.forking : undefined;
  return isRecord(forking) && typeof forking.jsonRpcUrl === 'string';
});

export const nodeControlMethods: readonly Method[] = [
  method({
    name: 'evm_snapshot',
    aliases: ['anvil_snapshot'],
    summary: 'Keeps the present state; the answer is an id for evm_revert.',
    answer: ({ machine, snapshots }) => quantityView(snapshots.take(machine.state)),
  }),
  method({
    name: 'evm_revert',
    aliases: ['anvil_revert'],
    summary: 'Goes back to a snapshot, which is then gone as are later ones. False: there is none.',
    parameters: [wholeNumber],
    answer: async ({ machine, snapshots, committed }, [id]) => {
      const state = snapshots.use(id);
      if (!state) return false;
      machine.restore(state);
      await committed();
      return true;
    },
  }),
  method({
    name: 'anvil_rollback',
    summary: 'Takes back the latest blocks, one if not told otherwise.',
    parameters: [optional(count, 1)],
    answer: async (node, [depth]) => {
      const { head } = node.machine.state;
      const number = head.header.number - BigInt(depth);
      if (number < 0n) {
        throw invalidParams(`Rollback depth must not exceed current chain height: ${depth}`);
      }
      node.machine.restore(rewind(node.machine.state, number));
      await node.committed();
      return null;
    },
  }),
  method({
    name: 'anvil_reset',
    aliases: ['hardhat_reset'],
    summary: 'Goes back to the first block. Forking another chain is not supported.',
    parameters: [optional(resetRequest, false)],
    answer: async (node, [wantsFork]) => {
      if (wantsFork) throw forkless();
      node.machine.restore(restart(node.machine.state));
      node.snapshots.clear();
      await node.committed();
      return null;
    },
  }),
  method({
    name: 'anvil_setRpcUrl',
    aliases: ['hardhat_setRpcUrl'],
    summary: 'Not supported: the chain is not a fork of another.',
    parameters: [text],
    answer: () => {
      throw forkless();
    },
  }),
  method({
    name: 'anvil_dumpState',
    aliases: ['hardhat_dumpState'],
    summary: 'All accounts as gzip of JSON, which anvil reads too.',
    parameters: [optional(anything)],
    answer: ({ machine }) => dumpState(machine.state),
  }),
  method({
    name: 'anvil_loadState',
    aliases: ['hardhat_loadState'],
    summary: "Puts the accounts of a dump, ours or anvil's, into the present state.",
    parameters: [data],
    answer: async (node, [dump]) => {
      const load = await loadState(dump, node.limits.dumpBytes);
      await change(node, load);
      return true;
    },
  }),
  method({
    name: 'anvil_dropTransaction',
    aliases: ['hardhat_dropTransaction'],
    summary: 'Drops a waiting transaction; null where there is none.',
    parameters: [hash32],
    answer: async (node, [hash]) => {
      if (!node.machine.state.pool.has(hash)) return null;
      await change(node, (state) => ({ ...state, pool: state.pool.without([hash]) }));
      return bytesToHex(hash);
    },
  }),
  method({
    name: 'anvil_dropAllTransactions',
    aliases: ['hardhat_dropAllTransactions'],
    summary: 'Drops all waiting transactions.',
    answer: async (node) => {
      await change(node, (state) => {
        const hashes = state.pool.transactions().map((tx) => tx.hash);
        return { ...state, pool: state.pool.without(hashes) };
      });
      return null;
    },
  }),
  method({
    name: 'anvil_removePoolTransactions',
    summary: 'Drops the waiting transactions of an account.',
    parameters: [address],
    answer: async (node, [sender]) => {
      await change(node, (state) => {
        const hashes = state.pool.of(sender).map(({ tx }) => tx.hash);
        return { ...state, pool: state.pool.without(hashes) };
      });
      return null;
    },
  }),
  method({
    name: 'anvil_setLoggingEnabled',
    aliases: ['hardhat_setLoggingEnabled'],
    summary: 'Accepted without effect: what is logged is for the host to say.',
    parameters: [flag],
    answer: () => null,
  }),
  method({
    name: 'anvil_nodeInfo',
    summary: 'Head, fork and fees.',
    answer: ({ machine }) => {
      const { head, settings } = machine.state;
      const baseFee = nextBaseFee(machine);
      return {
        currentBlockNumber: quantityView(head.header.number),
        currentBlockTimestamp: Number(head.header.timestamp),
        currentBlockHash: bytesToHex(head.hash),
        hardFork: machine.hardfork,
        transactionOrder: 'fees',
        environment: {
          baseFee: quantityView(baseFee),
          chainId: quantityView(settings.chainId),
          gasLimit: quantityView(settings.gasLimit),
          gasPrice: quantityView(baseFee + SUGGESTED_TIP),
        },
        forkConfig: { forkUrl: null, forkBlockNumber: null, forkRetryBackoff: null },
      };
    },
  }),
  method({
    name: 'anvil_metadata',
    aliases: ['hardhat_metadata'],
    summary: 'Version, chain, head and snapshots.',
    answer: ({ machine, clientVersion, instanceId, snapshots }) => {
      const { head, settings } = machine.state;
      const kept = Array.from(snapshots.entries(), ([id, { head: block }]) => [
        quantityView(id),
        [Number(block.header.number), bytesToHex(block.hash)],
      ]);
      return {
        clientVersion,
        chainId: Number(settings.chainId),
        instanceId,
        latestBlockNumber: Number(head.header.number),
        latestBlockHash: bytesToHex(head.hash),
        forkedNetwork: null,
        snapshots: Object.fromEntries(kept),
      };
    },
  }),
];

function forkless(): EthError {
  const message = 'forking another chain is not supported';
  return new EthError(message, rpcCodes.methodNotSupported);
}

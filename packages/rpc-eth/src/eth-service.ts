import { EthError } from '@polyvisor/eth/errors';
import { HostError } from '@polyvisor/errors/host-error';
import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';
import type { RpcService } from '@polyvisor/rpc/service';
import { Filters } from './filter-book.ts';
import { defaultEthServiceLimits } from './limits.ts';
import { methodsByName } from './methods.ts';
import type { EthNode, EthServiceContext } from './node.ts';
import { Snapshots } from './snapshots.ts';
import { Subscriptions } from './subscription-book.ts';

export type { EthServiceContext, NodeAccount } from './node.ts';

/** An Ethereum machine's native interface. */
export interface EthService extends RpcService {
  /** Filters, subscriptions and waits end; the machine is no longer listened to. */
  dispose(): void;
}

/** Answers the methods of `methodTable` for a machine. */
export function createEthService(context: EthServiceContext): EthService {
  const limits = { ...defaultEthServiceLimits, ...context.limits };
  const filters = new Filters(context, limits);
  const subscriptions = new Subscriptions(context, limits.subscriptions);
  const closing = new AbortController();
  const node: EthNode = {
    machine: context.machine,
    accounts: context.accounts,
    clientVersion: context.clientVersion,
    instanceId: context.instanceId,
    settle: (task) => context.settle(task),
    committed: () => context.committed(),
    checkOpen: () => context.checkOpen(),
    nowMs: () => context.nowMs(),
    entropy: (length) => context.entropy(length),
    limits,
    filters,
    subscriptions,
    snapshots: new Snapshots(limits.snapshots),
    closed: closing.signal,
  };
  return {
    call(name, params, session) {
      const row = methodsByName.get(name);
      if (!row) {
        throw new RpcError(
          rpcCodes.methodNotFound,
          `the method ${name} does not exist/is not available`,
        );
      }
      try {
        node.checkOpen();
        const answer = row.answer(node, params, session);
        return answer instanceof Promise ? answer.catch(rethrow) : answer;
      } catch (error) {
        return rethrow(error);
      }
    },
    dispose() {
      closing.abort(new EthError('the interface was closed'));
      filters.dispose();
      subscriptions.dispose();
    },
  };
}

/** What a client is told of an error; bugs of ours go on as they are. */
function rethrow(error: unknown): never {
  if (error instanceof EthError) throw new RpcError(error.code, error.message, error.data);
  if (error instanceof HostError) throw new RpcError(rpcCodes.invalidInput, error.message);
  throw error;
}

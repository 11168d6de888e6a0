import { accountChangeMethods } from './account-changes.ts';
import { blockMethods } from './blocks.ts';
import { callMethods } from './calls.ts';
import { chainMethods } from './chain.ts';
import { clockMethods } from './clock.ts';
import { debugMethods } from './debug.ts';
import { filterMethods } from './filters.ts';
import { logMethods } from './logs.ts';
import { type Method, method } from './method.ts';
import { miningMethods } from './mining.ts';
import { nextBlockMethods } from './next-block.ts';
import { nodeControlMethods } from './node-control.ts';
import { sendingMethods } from './sending.ts';
import { signingMethods } from './signing.ts';
import { simulateMethods } from './simulate.ts';
import { stateMethods } from './state.ts';
import { subscriptionMethods } from './subscriptions.ts';
import { transactionMethods } from './transactions.ts';
import { txpoolMethods } from './txpool.ts';

/**
 * Everything that is answered, a row a method: calls are looked up in it, and the documentation
 * lists it.
 */
export const methodTable: readonly Method[] = [
  ...chainMethods,
  ...stateMethods,
  ...blockMethods,
  ...transactionMethods,
  ...sendingMethods,
  ...signingMethods,
  ...callMethods,
  ...simulateMethods,
  ...logMethods,
  ...filterMethods,
  ...subscriptionMethods,
  ...txpoolMethods,
  ...debugMethods,
  ...miningMethods,
  ...clockMethods,
  ...nextBlockMethods,
  ...accountChangeMethods,
  ...nodeControlMethods,
  method({
    name: 'rpc_modules',
    summary: 'Groups of methods and their versions.',
    answer: () => modules,
  }),
];

/** Rows by each of their names. */
export const methodsByName: ReadonlyMap<string, Method> = new Map(
  methodTable.flatMap((row) => [row.name, ...row.aliases].map((name) => [name, row] as const)),
);

const modules: Readonly<Record<string, string>> = Object.fromEntries(
  [...methodsByName.keys()].map((name) => [name.slice(0, name.indexOf('_')), '1.0']),
);

import { type Method, method } from './method.ts';
import { flag, optional, text } from './parameters.ts';
import { logRequest } from './logs.ts';

export const filterMethods: readonly Method[] = [
  method({
    name: 'eth_newFilter',
    summary: 'A filter for logs of new blocks; the answer is its id.',
    parameters: [logRequest],
    answer: ({ filters }, [request]) => filters.add({ kind: 'logs', request }),
  }),
  method({
    name: 'eth_newBlockFilter',
    summary: 'A filter for hashes of new blocks.',
    answer: ({ filters }) => filters.add({ kind: 'blocks' }),
  }),
  method({
    name: 'eth_newPendingTransactionFilter',
    summary: 'A filter for transactions that come to wait: their hashes, or whole.',
    parameters: [optional(flag, false)],
    answer: ({ filters }, [isFull]) => filters.add({ kind: 'transactions', isFull, held: [] }),
  }),
  method({
    name: 'eth_getFilterChanges',
    summary: 'What a filter has found since the last time.',
    parameters: [text],
    answer: ({ filters }, [id]) => filters.changes(id),
  }),
  method({
    name: 'eth_getFilterLogs',
    summary: 'All logs that a log filter is for.',
    parameters: [text],
    answer: ({ filters }, [id]) => filters.logs(id),
  }),
  method({
    name: 'eth_uninstallFilter',
    summary:
      'Drops a filter; false where there is none. One that is not polled for 5 minutes goes by itself.',
    parameters: [text],
    answer: ({ filters }, [id]) => filters.remove(id),
  }),
];

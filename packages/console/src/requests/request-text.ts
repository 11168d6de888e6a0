import type { RequestView } from '@polyvisor/host/control/views';

/** A request as a person would send it again: nothing in it is a secret, so it can be shared. */
export type Call = Pick<RequestView, 'method' | 'params'>;

/** @param url the guest's own endpoint; undefined: it has none, so a placeholder stands for it */
export function asCurl(call: Call, url: string | undefined): string {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: call.method,
    params: call.params ?? [],
  });
  return [
    `curl -s ${url ?? NO_URL} \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${body.replaceAll("'", `'\\''`)}'`,
  ].join('\n');
}

/** A program that runs as it is, with viem installed. */
export function asViem(call: Call, url: string | undefined): string {
  const request = JSON.stringify({ method: call.method, params: call.params ?? [] }, null, 2);
  return [
    `import { createPublicClient, http } from 'viem';`,
    '',
    `const client = createPublicClient({ transport: http('${url ?? NO_URL}') });`,
    `console.log(await client.request(${request}));`,
    '',
  ].join('\n');
}

/** Whether a request is wanted: each word is in its method, parameters or error. */
export function matches(request: RequestView, filter: RequestFilter): boolean {
  if (filter.onlyErrors && request.error === undefined) return false;
  if (filter.words === '') return true;
  const { method, params, error } = request;
  const text = `${method} ${JSON.stringify(params ?? '')} ${error?.message ?? ''}`.toLowerCase();
  return filter.words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export interface RequestFilter {
  readonly words: string;
  readonly onlyErrors: boolean;
}

const NO_URL = 'http://127.0.0.1:8545';

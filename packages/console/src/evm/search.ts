import type { Route } from '../router.ts';

/** What a search can mean. A hash may be a transaction's or a block's: only the chain knows. */
export type SearchTarget =
  | { readonly kind: 'block'; readonly block: string }
  | { readonly kind: 'account'; readonly address: string }
  | { readonly kind: 'hash'; readonly hash: string };

/** undefined: it is none of them. */
export function readSearch(text: string): SearchTarget | undefined {
  const word = text.trim().toLowerCase();
  if (/^0x[0-9a-f]{64}$/.test(word)) return { kind: 'hash', hash: word };
  if (/^0x[0-9a-f]{40}$/.test(word)) return { kind: 'account', address: word };
  if (TAGS.includes(word)) return { kind: 'block', block: word };
  if (/^\d{1,16}$/.test(word)) return { kind: 'block', block: String(Number(word)) };
  if (/^0x[0-9a-f]{1,13}$/.test(word)) return { kind: 'block', block: String(Number(word)) };
  return undefined;
}

/** The page of a target. A hash that is no transaction's is taken for a block's. */
export async function findPage(
  guest: string,
  target: SearchTarget,
  isTransaction: (hash: string) => Promise<boolean>,
): Promise<Route> {
  if (target.kind === 'block') return { page: 'block', guest, block: target.block };
  if (target.kind === 'account') return { page: 'account', guest, address: target.address };
  const { hash } = target;
  return (await isTransaction(hash))
    ? { page: 'transaction', guest, hash }
    : { page: 'block', guest, block: hash };
}

const TAGS = ['latest', 'earliest', 'safe', 'finalized', 'pending'];

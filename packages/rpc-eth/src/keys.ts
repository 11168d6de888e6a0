import { equalBytes } from '@polyvisor/bytes/bytes';
import type { EthNode } from './node.ts';

/** The private key of an account that the node holds. */
export function keyOf(node: EthNode, address: Uint8Array): Uint8Array | undefined {
  return node.accounts.find((account) => equalBytes(account.address, address))?.privateKey;
}

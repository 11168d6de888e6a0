import type { Hardfork } from '@polyvisor/evm/hardfork';
import { isDelegation } from '@polyvisor/evm/addresses';
import { transactionError } from '@polyvisor/evm/validity';
import type { BlockEnvironment } from '@polyvisor/evm/world';
import { EthError } from './errors.ts';
import { refusalError } from './refusals.ts';
import type { EthState } from './state.ts';
import { type Transaction, messageOf } from './transaction.ts';

/** Bytes of a transaction without its blobs. @see go-ethereum, core/txpool/legacypool, txMaxSize */
const TRANSACTION_BYTES_MAX = 128 * 1024;

/** The state with a transaction waiting in its pool. @throws EthError when it could not be mined, now or later */
export function admit(
  state: EthState,
  tx: Transaction,
  block: BlockEnvironment,
  fork: Hardfork,
  poolSizeMax: number,
): EthState {
  const { pool, settings, world } = state;
  if (pool.has(tx.hash) || state.transactions.has(String.fromCharCode(...tx.hash))) {
    throw new EthError('already known');
  }
  if (tx.raw.length > TRANSACTION_BYTES_MAX) {
    throw new EthError(
      `oversized data: transaction size ${tx.raw.length}, limit ${TRANSACTION_BYTES_MAX}`,
    );
  }
  if (tx.chainId !== undefined && tx.chainId !== settings.chainId) {
    throw new EthError(`invalid chain id for signer: have ${tx.chainId} want ${settings.chainId}`);
  }
  if (pool.size >= poolSizeMax) throw new EthError('txpool is full');

  const account = world.account(tx.sender);
  const code = world.codeAt(tx.sender);
  const nonce = account?.nonce ?? 0n;
  const balance = account?.balance ?? 0n;
  const message = messageOf(tx, tx.sender);
  // Only an instant miner needs its fees to be enough now, and nobody needs its nonce to be the next.
  const isInstant = settings.mining.mode === 'instant';
  const atDoor = isInstant ? block : { ...block, baseFee: 0n, blobBaseFee: 0n };
  const error = transactionError(message, atDoor, fork, {
    nonce: tx.nonce > nonce ? tx.nonce : nonce,
    balance,
    isContract: code.length > 0 && !isDelegation(code),
  });
  if (error) throw refusalError(error, { message, block, fork, sender: { nonce, balance } });
  return { ...state, pool: pool.with(tx) };
}

import type { AccessListEntry, BlockEnvironment, TransactionMessage } from '@polyvisor/evm/world';
import { EthError } from './errors.ts';
import type { Overlay } from './overlay.ts';
import { type SignedAuthorization, type TransactionType, recoverAuthority } from './transaction.ts';

/**
 * What a client asks to be executed or sent; what it leaves out has a default.
 * @see execution-apis, GenericTransaction
 */
export interface CallRequest {
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
  readonly gas?: bigint;
  readonly gasPrice?: bigint;
  readonly maxFeePerGas?: bigint;
  readonly maxPriorityFeePerGas?: bigint;
  readonly maxFeePerBlobGas?: bigint;
  readonly value?: bigint;
  readonly data?: Uint8Array;
  readonly nonce?: bigint;
  readonly accessList?: readonly AccessListEntry[];
  readonly blobVersionedHashes?: readonly Uint8Array[];
  readonly authorizationList?: readonly SignedAuthorization[];
}

/** An account as a call shall see it. @see execution-apis, StateOverride */
export interface AccountOverride {
  readonly address: Uint8Array;
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  /** Instead of all its storage. */
  readonly state?: readonly (readonly [key: Uint8Array, value: bigint])[];
  /** Beside its other storage. */
  readonly stateDiff?: readonly (readonly [key: Uint8Array, value: bigint])[];
}

export interface CallOverrides {
  readonly state?: readonly AccountOverride[];
  readonly block?: Partial<BlockEnvironment>;
}

export function applyOverrides(overlay: Overlay, overrides: readonly AccountOverride[]): void {
  for (const { address, balance, nonce, code, state, stateDiff } of overrides) {
    if (state && stateDiff) {
      throw new EthError("account has both 'state' and 'stateDiff'", -32602);
    }
    if (balance !== undefined) overlay.setBalance(address, balance);
    if (nonce !== undefined) overlay.setNonce(address, nonce);
    if (code !== undefined) overlay.setCode(address, code);
    if (state) overlay.clearStorage(address);
    for (const [key, value] of state ?? stateDiff ?? []) overlay.setStorage(address, key, value);
  }
}

/** The type that carries the fields a request has. */
export function typeOf(request: CallRequest): TransactionType {
  if (request.authorizationList) return 4;
  if (request.blobVersionedHashes) return 3;
  if (request.gasPrice === undefined) return 2;
  return request.accessList ? 1 : 0;
}

/** The message a call executes. `gasMax`: what it gets where it names nothing or more. */
export function messageOfCall(request: CallRequest, gasMax: bigint): TransactionMessage {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = request;
  if (
    gasPrice !== undefined &&
    (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined)
  ) {
    throw new EthError('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified');
  }
  const gas = request.gas ?? gasMax;
  return {
    type: typeOf(request),
    sender: request.from ?? ZERO_ADDRESS,
    to: request.to,
    nonce: request.nonce ?? 0n,
    gasLimit: gas < gasMax ? gas : gasMax,
    maxFeePerGas: maxFeePerGas ?? gasPrice ?? 0n,
    maxPriorityFeePerGas: maxPriorityFeePerGas ?? gasPrice ?? 0n,
    value: request.value ?? 0n,
    data: request.data ?? NOTHING,
    accessList: request.accessList ?? [],
    blobVersionedHashes: request.blobVersionedHashes ?? [],
    maxFeePerBlobGas: request.maxFeePerBlobGas ?? 0n,
    authorizationList: (request.authorizationList ?? []).map((entry) => ({
      ...entry,
      authority: recoverAuthority(entry),
    })),
  };
}

const ZERO_ADDRESS = new Uint8Array(20);
const NOTHING = new Uint8Array(0);

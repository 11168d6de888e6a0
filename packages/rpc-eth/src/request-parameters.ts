import { bytesToBigInt, equalBytes } from '@polyvisor/bytes/bytes';
import type { AccountOverride, CallOverrides, CallRequest } from '@polyvisor/eth/call-request';
import type { SignedAuthorization } from '@polyvisor/eth/transaction';
import type { AccessListEntry, BlockEnvironment } from '@polyvisor/evm/world';
import {
  type Parameter,
  ParameterError,
  address,
  complete,
  data,
  hash32,
  list,
  object,
  parameter,
  quantity,
  readField,
  record,
  uint64,
} from './parameters.ts';

const accessListEntry: Parameter<AccessListEntry> = complete('AccessTuple', {
  address,
  storageKeys: list(hash32),
});

const authorization: Parameter<SignedAuthorization> = complete('SetCodeAuthorization', {
  chainId: quantity,
  address,
  nonce: uint64,
  yParity: uint64,
  r: quantity,
  s: quantity,
});

const requestFields = object('TransactionArgs', {
  type: uint64,
  from: address,
  to: address,
  gas: uint64,
  gasPrice: quantity,
  maxFeePerGas: quantity,
  maxPriorityFeePerGas: quantity,
  maxFeePerBlobGas: quantity,
  value: quantity,
  nonce: uint64,
  data,
  input: data,
  accessList: list(accessListEntry),
  chainId: quantity,
  blobVersionedHashes: list(hash32),
  authorizationList: list(authorization),
});

/** A call or a transaction to send, and the chain that it is meant for. */
export interface RequestedTransaction {
  readonly request: CallRequest;
  readonly chainId: bigint | undefined;
}

/**
 * @see execution-apis, src/schemas/transaction.yaml, GenericTransaction; go-ethereum,
 * internal/ethapi/transaction_args.go
 */
export const transactionRequest: Parameter<RequestedTransaction> = parameter(
  'TransactionArgs',
  (value) => {
    const { type: _, chainId, data: bytes, input, ...fields } = requestFields.read(value);
    if (bytes && input && !equalBytes(bytes, input)) {
      throw new ParameterError(
        'both "data" and "input" are set and not equal. ' +
          'Please use "input" to pass transaction call data',
      );
    }
    if (
      fields.gasPrice !== undefined &&
      (fields.maxFeePerGas !== undefined || fields.maxPriorityFeePerGas !== undefined)
    ) {
      throw new ParameterError(
        'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
      );
    }
    const payload = input ?? bytes;
    return { request: payload ? { ...fields, data: payload } : fields, chainId };
  },
);

/** What a call executes. */
export const callRequest: Parameter<CallRequest> = parameter(
  'TransactionArgs',
  (value) => transactionRequest.read(value).request,
);

const slots: Parameter<[Uint8Array, bigint][]> = parameter('map[common.Hash]common.Hash', (value) =>
  Object.entries(record(value, 'map[common.Hash]common.Hash')).map(([key, word]) => [
    hash32.read(key),
    bytesToBigInt(hash32.read(word)),
  ]),
);

const overrideFields = object('OverrideAccount', {
  nonce: uint64,
  code: data,
  balance: quantity,
  state: slots,
  stateDiff: slots,
  movePrecompileToAddress: address,
});

/** @see execution-apis, eth_call, StateOverride */
export const stateOverrides: Parameter<readonly AccountOverride[]> = parameter(
  'StateOverride',
  (value) =>
    Object.entries(record(value, 'StateOverride')).map(([name, account]) => {
      const owner = address.read(name);
      const override = readField('StateOverride', name, overrideFields, account);
      const { movePrecompileToAddress, ...fields } = override;
      if (movePrecompileToAddress) {
        throw new ParameterError('movePrecompileToAddress is not supported');
      }
      if (fields.state && fields.stateDiff) {
        throw new ParameterError(`account ${name} has both 'state' and 'stateDiff'`);
      }
      return { address: owner, ...fields };
    }),
);

const blockFields = object('BlockOverrides', {
  number: quantity,
  time: uint64,
  gasLimit: uint64,
  feeRecipient: address,
  prevRandao: hash32,
  baseFeePerGas: quantity,
  blobBaseFee: quantity,
});

/** @see execution-apis, eth_simulateV1, BlockOverrides */
export const blockOverrides: Parameter<Partial<BlockEnvironment>> = parameter(
  'BlockOverrides',
  (value) => {
    const { time, feeRecipient, baseFeePerGas, ...same } = blockFields.read(value);
    return {
      ...same,
      ...(time === undefined ? {} : { timestamp: time }),
      ...(feeRecipient ? { coinbase: feeRecipient } : {}),
      ...(baseFeePerGas === undefined ? {} : { baseFee: baseFeePerGas }),
    };
  },
);

export function overridesOf(
  state: readonly AccountOverride[] | undefined,
  block: Partial<BlockEnvironment> | undefined,
): CallOverrides {
  return { ...(state ? { state } : {}), ...(block ? { block } : {}) };
}

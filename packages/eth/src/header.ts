import { bytesToBigInt } from '@polyvisor/bytes/bytes';
import { RlpError, type RlpItem, encodeRlp, rlpInteger } from '@polyvisor/codec/rlp';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { type Hardfork, isAtLeast } from '@polyvisor/evm/hardfork';

/** A block header; the fields from `baseFee` on exist since the fork that brought them. */
export interface Header {
  readonly parentHash: Uint8Array;
  readonly ommersHash: Uint8Array;
  readonly coinbase: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly transactionsRoot: Uint8Array;
  readonly receiptsRoot: Uint8Array;
  readonly logsBloom: Uint8Array;
  readonly difficulty: bigint;
  readonly number: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  readonly timestamp: bigint;
  readonly extraData: Uint8Array;
  /** The mix hash before Paris. */
  readonly prevRandao: Uint8Array;
  readonly nonce: Uint8Array;
  readonly baseFee: bigint | undefined;
  readonly withdrawalsRoot: Uint8Array | undefined;
  readonly blobGasUsed: bigint | undefined;
  readonly excessBlobGas: bigint | undefined;
  readonly parentBeaconBlockRoot: Uint8Array | undefined;
  readonly requestsHash: Uint8Array | undefined;
}

/** The fork that brought each optional field, in the order of the encoding. */
export const optionalFields = [
  ['baseFee', 'london'],
  ['withdrawalsRoot', 'shanghai'],
  ['blobGasUsed', 'cancun'],
  ['excessBlobGas', 'cancun'],
  ['parentBeaconBlockRoot', 'cancun'],
  ['requestsHash', 'prague'],
] as const satisfies readonly (readonly [keyof Header, Hardfork])[];

/** Keccak-256 of the RLP of an empty list. */
export const EMPTY_OMMERS_HASH: Uint8Array = keccak256(Uint8Array.of(0xc0));

/** The fields in the order of the encoding. @see Yellow Paper, section 4.4.3; EIP-1559, 4895, 4844, 4788, 7685 */
export function headerFields(header: Header): RlpItem[] {
  const fields: RlpItem[] = [
    header.parentHash,
    header.ommersHash,
    header.coinbase,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    header.logsBloom,
    rlpInteger(header.difficulty),
    rlpInteger(header.number),
    rlpInteger(header.gasLimit),
    rlpInteger(header.gasUsed),
    rlpInteger(header.timestamp),
    header.extraData,
    header.prevRandao,
    header.nonce,
  ];
  for (const [name] of optionalFields) {
    const value = header[name];
    if (value === undefined) break;
    fields.push(typeof value === 'bigint' ? rlpInteger(value) : value);
  }
  return fields;
}

/** Reads what `headerFields` gives. */
export function headerOf(fields: readonly RlpItem[]): Header {
  const bytes = (i: number): Uint8Array => fields[i] as Uint8Array;
  const number = (i: number): bigint => bytesToBigInt(bytes(i));
  const optional = optionalFields.map(([name], i) => {
    const value = fields[REQUIRED_FIELDS + i] as Uint8Array | undefined;
    return [name, value && numericFields.has(name) ? bytesToBigInt(value) : value] as const;
  });
  return {
    parentHash: bytes(0),
    ommersHash: bytes(1),
    coinbase: bytes(2),
    stateRoot: bytes(3),
    transactionsRoot: bytes(4),
    receiptsRoot: bytes(5),
    logsBloom: bytes(6),
    difficulty: number(7),
    number: number(8),
    gasLimit: number(9),
    gasUsed: number(10),
    timestamp: number(11),
    extraData: bytes(12),
    prevRandao: bytes(13),
    nonce: bytes(14),
    ...(Object.fromEntries(optional) as Pick<Header, (typeof optionalFields)[number][0]>),
  };
}

/** Reads a header that somebody sent. @throws RlpError when it is not of the fork's form */
export function decodeHeader(item: RlpItem, fork: Hardfork): Header {
  const optional = optionalFields.filter(([, since]) => isAtLeast(fork, since));
  if (item instanceof Uint8Array || item.length !== REQUIRED_FIELDS + optional.length) {
    throw new RlpError('a header has another number of fields');
  }
  const sizes = [...requiredSizes, ...optional.map(([name]) => (numericFields.has(name) ? 0 : 32))];
  sizes.forEach((size, i) => {
    const field = item[i]!;
    const isOfForm =
      field instanceof Uint8Array &&
      (size === 0 ? field[0] !== 0 && field.length <= 32 : size < 0 || field.length === size);
    if (!isOfForm) throw new RlpError(`field ${i} of a header has another form`);
  });
  return headerOf(item);
}

/** Bytes of each field; 0: an integer of at most 32; -1: any bytes. */
const requiredSizes = [32, 32, 20, 32, 32, 32, 256, 0, 0, 0, 0, 0, -1, 32, 8] as const;
const REQUIRED_FIELDS = requiredSizes.length;
const numericFields: ReadonlySet<keyof Header> = new Set([
  'baseFee',
  'blobGasUsed',
  'excessBlobGas',
]);

export function headerHash(header: Header): Uint8Array {
  return keccak256(encodeRlp(headerFields(header)));
}

/** Only the optional fields that a fork has. */
export function fieldsOf<T extends Partial<Header>>(fork: Hardfork, fields: T): T {
  const kept: Record<string, unknown> = { ...fields };
  for (const [name, since] of optionalFields) {
    if (!isAtLeast(fork, since)) kept[name] = undefined;
  }
  return kept as T;
}

import { bigIntToBytes, concatBytes, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { hexToBytes } from '@polyvisor/bytes/hex';
import { keccak256 } from '@polyvisor/crypto/keccak';
import { invalidParams, isRecord, shown } from './parameters.ts';

interface Field {
  readonly name: string;
  readonly type: string;
}

type Types = Readonly<Record<string, readonly Field[]>>;

/** How deep values may nest: types may refer to themselves. */
export const TYPED_DATA_DEPTH_MAX = 32;

const integers = /^(u?)int([0-9]{1,3})?$/;
const fixedBytes = /^bytes([0-9]{1,2})$/;
const arrays = /^(.+)\[([0-9]*)\]$/;

/**
 * The digest that a signature of structured data is made of.
 * @param typedData `{ types, primaryType, domain, message }`, or its JSON
 * @throws RpcError -32602 for data that does not have the form of its types
 * @see EIP-712, "Specification of the eth_signTypedData JSON RPC"
 */
export function typedDataHash(typedData: unknown): Uint8Array {
  const { types, primaryType, domain, message } = objectOf(parse(typedData), 'typed data');
  const known = typesOf(types);
  const domainHash = structHash(known, 'EIP712Domain', domain ?? {}, 0);
  const prefix = Uint8Array.of(0x19, 0x01);
  // Data that is nothing but a domain is signed without a message.
  if (primaryType === 'EIP712Domain') return keccak256(concatBytes(prefix, domainHash));
  if (typeof primaryType !== 'string') throw invalidParams("typed data: no 'primaryType'");
  return keccak256(concatBytes(prefix, domainHash, structHash(known, primaryType, message, 0)));
}

function structHash(types: Types, name: string, value: unknown, depth: number): Uint8Array {
  if (depth > TYPED_DATA_DEPTH_MAX) {
    throw invalidParams(`typed data: nested deeper than ${TYPED_DATA_DEPTH_MAX}`);
  }
  const values = objectOf(value, `'${name}'`);
  const fields = fieldsOf(types, name);
  const words = fields.map((field) => encode(types, field.type, values[field.name], field, depth));
  return keccak256(concatBytes(typeHash(types, name), ...words));
}

/** A value as 32 bytes. */
function encode(
  types: Types,
  type: string,
  value: unknown,
  field: Field,
  depth: number,
): Uint8Array {
  const array = arrays.exec(type);
  if (array) {
    const [, element, size] = array;
    if (!Array.isArray(value) || (size !== '' && value.length !== Number(size))) {
      throw bad(field, value);
    }
    const words = value.map((one: unknown) => encode(types, element!, one, field, depth + 1));
    return keccak256(concatBytes(...words));
  }
  if (Object.hasOwn(types, type)) {
    // A struct that refers to its own type ends with a value that is not there.
    if (value === undefined || value === null) return new Uint8Array(32);
    return structHash(types, type, value, depth + 1);
  }
  return encodeAtom(type, value, field);
}

function encodeAtom(type: string, value: unknown, field: Field): Uint8Array {
  if (type === 'string') {
    if (typeof value !== 'string') throw bad(field, value);
    return keccak256(utf8ToBytes(value));
  }
  if (type === 'bytes') return keccak256(bytesOf(value, field));
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw bad(field, value);
    return bigIntToBytes(value ? 1n : 0n, 32);
  }
  if (type === 'address') {
    const bytes = bytesOf(value, field);
    if (bytes.length !== 20) throw bad(field, value);
    return concatBytes(new Uint8Array(12), bytes);
  }
  const fixed = fixedBytes.exec(type);
  if (fixed) {
    const bytes = bytesOf(value, field);
    if (bytes.length !== Number(fixed[1])) throw bad(field, value);
    return concatBytes(bytes, new Uint8Array(32 - bytes.length));
  }
  const integer = integers.exec(type);
  if (integer) return encodeInteger(integer[1] === '', Number(integer[2] ?? 256), value, field);
  throw invalidParams(`typed data: unknown type '${type}' of '${field.name}'`);
}

function encodeInteger(isSigned: boolean, bits: number, value: unknown, field: Field): Uint8Array {
  const number = integerOf(value, field);
  const isInRange = isSigned
    ? BigInt.asIntN(bits, number) === number
    : BigInt.asUintN(bits, number) === number;
  if (!isInRange) throw bad(field, value);
  return bigIntToBytes(BigInt.asUintN(256, number), 32);
}

/**
 * @see EIP-712, "Definition of encodeType": the type itself, then those it refers to in
 * alphabetical order
 */
function typeHash(types: Types, name: string): Uint8Array {
  const referred = new Set<string>();
  collect(types, name, referred);
  referred.delete(name);
  const text = [name, ...[...referred].toSorted()]
    .map((type) => {
      const fields = fieldsOf(types, type).map((field) => `${field.type} ${field.name}`);
      return `${type}(${fields.join(',')})`;
    })
    .join('');
  return keccak256(utf8ToBytes(text));
}

function collect(types: Types, name: string, found: Set<string>): void {
  if (found.has(name) || !Object.hasOwn(types, name)) return;
  found.add(name);
  for (const { type } of fieldsOf(types, name)) collect(types, type.replace(/\[.*$/, ''), found);
}

function fieldsOf(types: Types, name: string): readonly Field[] {
  if (!Object.hasOwn(types, name)) throw invalidParams(`typed data: unknown type '${name}'`);
  return types[name]!;
}

function typesOf(value: unknown): Types {
  for (const [name, fields] of Object.entries(objectOf(value, "'types'"))) {
    const isRight =
      Array.isArray(fields) &&
      fields.every(
        (field: unknown) =>
          isRecord(field) && typeof field.name === 'string' && typeof field.type === 'string',
      );
    if (!isRight) throw invalidParams(`typed data: '${name}' is no list of names and types`);
  }
  return value as Types;
}

function parse(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    throw invalidParams(`typed data: ${(error as Error).message}`);
  }
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw invalidParams(`typed data: ${what} is no object`);
  return value;
}

function bytesOf(value: unknown, field: Field): Uint8Array {
  if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) throw bad(field, value);
  return hexToBytes(value);
}

/** Clients send numbers, and text where a number would lose digits. */
function integerOf(value: unknown, field: Field): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^(-?[0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(value)) {
    return BigInt(value);
  }
  throw bad(field, value);
}

function bad(field: Field, value: unknown): Error {
  return invalidParams(`typed data: ${shown(value)} is no ${field.type} for '${field.name}'`);
}

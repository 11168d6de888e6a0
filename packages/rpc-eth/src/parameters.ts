import { hexToBytes } from '@polyvisor/bytes/hex';
import { RpcError, rpcCodes } from '@polyvisor/rpc/rpc-error';

/**
 * How one parameter of a method is read. Hand-written, not derived from a schema library: it is on
 * the path of every call. Errors have the words of geth, which clients match on.
 * @see go-ethereum, common/hexutil/json.go and rpc/json.go, parsePositionalArguments
 */
export interface Parameter<T> {
  /** As geth names the type in errors; documentation shows it too. */
  readonly type: string;
  readonly isOptional: boolean;
  /** `undefined` and `null` reach it only when it is optional. @throws ParameterError */
  read(value: unknown): T;
}

/** What a parameter gives. */
export type ValueOf<P> = P extends Parameter<infer T> ? T : never;

/** Why a value is not what a parameter takes. Whoever knows where it stood tells the client. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

/** A value of another JSON type, or text of another form. */
export function mismatch(problem: string, type: string): ParameterError {
  return new ParameterError(`json: cannot unmarshal ${problem} into Go value of type ${type}`);
}

export function invalidParams(message: string): RpcError {
  return new RpcError(rpcCodes.invalidParams, message);
}

export function parameter<T>(type: string, read: (value: unknown) => T): Parameter<T> {
  return { type, isOptional: false, read };
}

/** May be left out or null. */
export function optional<T>(inner: Parameter<T>): Parameter<T | undefined>;
export function optional<T, const F>(inner: Parameter<T>, fallback: F): Parameter<T | F>;
export function optional<T, F>(inner: Parameter<T>, fallback?: F): Parameter<T | F | undefined> {
  return {
    type: inner.type,
    isOptional: true,
    read: (value) => (value === undefined || value === null ? fallback : inner.read(value)),
  };
}

/** A number of up to 256 bits as hexadecimal text without leading zeros. */
export const quantity: Parameter<bigint> = parameter('*hexutil.Big', (value) =>
  readQuantity(value, 64, '*hexutil.Big'),
);

/** A number of up to 64 bits. */
export const uint64: Parameter<bigint> = parameter('hexutil.Uint64', (value) =>
  readQuantity(value, 16, 'hexutil.Uint64'),
);

/**
 * A number as development tools send it: a JSON number, or decimal or hexadecimal text.
 * @throws ParameterError for what is negative or not whole
 */
export const wholeNumber: Parameter<bigint> = parameter('whole number', (value) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^(?:0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/.test(value)) {
    const read = BigInt(value);
    if (read < 1n << 256n) return read;
  }
  throw new ParameterError(`${shown(value)} is not a whole number from 0 to 2^256 - 1`);
});

/** Whole seconds, or a count: what fits a JavaScript number. */
export const count: Parameter<number> = parameter('whole number', (value) => {
  const read = wholeNumber.read(value);
  if (read > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ParameterError(`${shown(value)} is larger than 2^53 - 1`);
  }
  return Number(read);
});

export const data: Parameter<Uint8Array> = parameter('hexutil.Bytes', (value) =>
  hexToBytes(hexText(value, 'hexutil.Bytes')),
);

export const address: Parameter<Uint8Array> = fixedBytes(20, 'common.Address');
export const hash32: Parameter<Uint8Array> = fixedBytes(32, 'common.Hash');

export const flag: Parameter<boolean> = parameter('bool', (value) => {
  if (typeof value !== 'boolean') throw mismatch(jsonKind(value), 'bool');
  return value;
});

export const text: Parameter<string> = parameter('string', (value) => {
  if (typeof value !== 'string') throw mismatch(jsonKind(value), 'string');
  return value;
});

/** Whatever it is; the method judges. */
export const anything: Parameter<unknown> = parameter('any', (value) => value);

/** Most elements of a list in a request. */
export const LIST_MAX = 10_000;

export function list<T>(element: Parameter<T>, max: number = LIST_MAX): Parameter<T[]> {
  const type = `[]${element.type}`;
  return parameter(type, (value) => {
    if (!Array.isArray(value)) throw mismatch(jsonKind(value), type);
    if (value.length > max) {
      throw new ParameterError(`${value.length} elements are more than ${max}`);
    }
    return value.map((entry: unknown) => element.read(entry));
  });
}

/**
 * An object's fields: those that are missing or null are left out of the result; unknown ones are
 * ignored.
 */
export function object<F extends Readonly<Record<string, Parameter<unknown>>>>(
  type: string,
  fields: F,
): Parameter<{ readonly [K in keyof F]?: ValueOf<F[K]> }> {
  const entries = Object.entries(fields);
  return parameter(type, (value) => {
    const source = record(value, type);
    const result: Record<string, unknown> = {};
    for (const [name, field] of entries) {
      const given = source[name];
      if (given === undefined || given === null) continue;
      result[name] = readField(type, name, field, given);
    }
    return result as { readonly [K in keyof F]?: ValueOf<F[K]> };
  });
}

/** An object that has all its fields. */
export function complete<F extends Readonly<Record<string, Parameter<unknown>>>>(
  type: string,
  fields: F,
): Parameter<{ readonly [K in keyof F]: ValueOf<F[K]> }> {
  const partial = object(type, fields);
  const names = Object.keys(fields);
  return parameter(type, (value) => {
    const result = partial.read(value);
    const missing = names.find((name) => result[name] === undefined);
    if (missing !== undefined) {
      throw new ParameterError(`missing required field '${missing}' for ${type}`);
    }
    return result as { readonly [K in keyof F]: ValueOf<F[K]> };
  });
}

export function readField<T>(type: string, name: string, field: Parameter<T>, value: unknown): T {
  try {
    return field.read(value);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    const message = error.message.replace('Go value of', `Go struct field ${type}.${name} of`);
    throw new ParameterError(message === error.message ? `${name}: ${message}` : message);
  }
}

/** An object that is used as a map. */
export function record(value: unknown, type: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw mismatch(jsonKind(value), type);
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The digits are there and are hexadecimal, and there is an even number of them. */
export function hexText(value: unknown, type: string): string {
  if (typeof value !== 'string') throw mismatch('non-string', type);
  if (!hasPrefix(value)) {
    throw mismatch(value === '' ? 'empty hex string' : 'hex string without 0x prefix', type);
  }
  if (value.length % 2 !== 0) throw mismatch('hex string of odd length', type);
  if (!HEX.test(value)) throw mismatch('invalid hex string', type);
  return value;
}

/** A value in an error's text, cut short. */
export function shown(value: unknown): string {
  const json = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'undefined');
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

const HEX = /^0[xX][0-9a-fA-F]*$/;

function hasPrefix(value: string): boolean {
  return value.startsWith('0x') || value.startsWith('0X');
}

function readQuantity(value: unknown, digitsMax: number, type: string): bigint {
  if (typeof value !== 'string') throw mismatch('non-string', type);
  const problem = quantityProblem(value, digitsMax);
  if (problem !== undefined) throw mismatch(problem, type);
  return BigInt(value);
}

/**
 * What is wrong with a number's text; undefined: nothing.
 * @see go-ethereum, common/hexutil/hexutil.go
 */
export function quantityProblem(value: string, digitsMax: number): string | undefined {
  if (value === '') return 'empty hex string';
  if (!hasPrefix(value)) return 'hex string without 0x prefix';
  if (value.length === 2) return 'hex string "0x"';
  if (value.length > 3 && value[2] === '0') return 'hex number with leading zero digits';
  if (!HEX.test(value)) return 'invalid hex string';
  if (value.length > 2 + digitsMax) return `hex number > ${4 * digitsMax} bits`;
  return undefined;
}

function fixedBytes(size: number, type: string): Parameter<Uint8Array> {
  return parameter(type, (value) => {
    const digits = hexText(value, type);
    if (digits.length !== 2 + 2 * size) {
      throw new ParameterError(
        `hex string has length ${digits.length - 2}, want ${2 * size} for ${type}`,
      );
    }
    return hexToBytes(digits);
  });
}

export function jsonKind(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

import type { RpcSession } from '@polyvisor/rpc/service';
import type { EthNode } from './node.ts';
import { type Parameter, ParameterError, type ValueOf, invalidParams } from './parameters.ts';

/** A row of the table of methods: calls are answered and the documentation is written from it. */
export interface Method {
  readonly name: string;
  /** Names that other tools have for the same. */
  readonly aliases: readonly string[];
  /** One line. */
  readonly summary: string;
  readonly parameters: readonly Parameter<unknown>[];
  /**
   * A value, at once where nothing needs to be waited for. @throws RpcError, EthError, HostError
   */
  answer(node: EthNode, params: unknown, session: RpcSession): unknown;
}

type Values<P extends readonly Parameter<unknown>[]> = {
  readonly [K in keyof P]: ValueOf<P[K]>;
};

export interface MethodRow<P extends readonly Parameter<unknown>[]> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly parameters?: P;
  answer(node: EthNode, values: Values<P>, session: RpcSession): unknown;
}

export function method<const P extends readonly Parameter<unknown>[] = []>(
  row: MethodRow<P>,
): Method {
  const parameters: readonly Parameter<unknown>[] = row.parameters ?? [];
  return {
    name: row.name,
    aliases: row.aliases ?? [],
    summary: row.summary,
    parameters,
    answer: (node, params, session) =>
      row.answer(node, readParameters(parameters, params) as Values<P>, session),
  };
}

/** @see go-ethereum, rpc/json.go, parsePositionalArguments */
function readParameters(parameters: readonly Parameter<unknown>[], params: unknown): unknown[] {
  const given = params ?? NONE;
  if (!Array.isArray(given)) throw invalidParams('non-array args');
  if (given.length > parameters.length) {
    throw invalidParams(`too many arguments, want at most ${parameters.length}`);
  }
  const values: unknown[] = [];
  for (let i = 0; i < parameters.length; i++) {
    const value: unknown = given[i];
    const { isOptional } = parameters[i]!;
    if (!isOptional && (value === undefined || value === null)) {
      throw invalidParams(`missing value for required argument ${i}`);
    }
    values.push(readArgument(parameters[i]!, value, i));
  }
  return values;
}

/** Reads an argument. @throws RpcError -32602 that says which one is wrong and why */
export function readArgument<T>(parameter: Parameter<T>, value: unknown, index: number): T {
  try {
    return parameter.read(value);
  } catch (error) {
    if (error instanceof ParameterError) {
      throw invalidParams(`invalid argument ${index}: ${error.message}`);
    }
    throw error;
  }
}

const NONE: readonly unknown[] = [];

import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import type { PersistentMap } from '@polyvisor/store/map';
import type { Mining, Settings } from './settings.ts';

/** Settings as JSON: large numbers are decimal text, bytes hexadecimal. The impersonated accounts are kept apart. */
export function encodeSettings(settings: Settings): Uint8Array {
  const { impersonated: _, ...fields } = settings;
  return utf8ToBytes(JSON.stringify(fields, (_key, value: unknown) => encodeValue(value)));
}

/** Reads what `encodeSettings` gives. @throws Error for anything else */
export function decodeSettings(bytes: Uint8Array, impersonated: PersistentMap<true>): Settings {
  const fields = JSON.parse(bytesToUtf8(bytes)) as Record<string, unknown>;
  const read = new SettingsReader(fields);
  return {
    chainId: read.bigint('chainId') ?? missing('chainId'),
    coinbase: read.bytes('coinbase') ?? missing('coinbase'),
    gasLimit: read.bigint('gasLimit') ?? missing('gasLimit'),
    mining: miningOf(fields['mining']),
    clockOffset: read.number('clockOffset') ?? missing('clockOffset'),
    timestampInterval: read.number('timestampInterval'),
    nextTimestamp: read.number('nextTimestamp'),
    nextBaseFee: read.bigint('nextBaseFee'),
    nextPrevRandao: read.bytes('nextPrevRandao'),
    nextBeaconRoot: read.bytes('nextBeaconRoot'),
    impersonated,
    impersonatesAll: fields['impersonatesAll'] === true,
  };
}

function encodeValue(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? bytesToHex(value) : value;
}

class SettingsReader {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  number(name: keyof Settings): number | undefined {
    const value = this.#fields[name];
    if (value !== undefined && !Number.isSafeInteger(value)) throw new Error(`bad setting ${name}`);
    return value as number | undefined;
  }

  bigint(name: keyof Settings): bigint | undefined {
    const value = this.#fields[name];
    return value === undefined ? undefined : BigInt(value as string);
  }

  bytes(name: keyof Settings): Uint8Array | undefined {
    const value = this.#fields[name];
    return value === undefined ? undefined : hexToBytes(String(value));
  }
}

function miningOf(value: unknown): Mining {
  const { mode, seconds } = (value ?? {}) as { mode?: unknown; seconds?: unknown };
  if (mode === 'instant' || mode === 'manual') return { mode };
  if (mode === 'interval' && typeof seconds === 'number' && seconds > 0) return { mode, seconds };
  throw new Error('bad setting mining');
}

function missing(name: keyof Settings): never {
  throw new Error(`setting ${name} is missing`);
}

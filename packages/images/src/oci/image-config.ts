import { HostError } from '@polyvisor/errors/host-error';

/** What an image says about how to run it. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly user: string;
  /** SHA-256 of each layer without compression, as `sha256:<hex>`, lowest first. */
  readonly diffIds: readonly string[];
}

/** @throws HostError `image-damaged` @see OCI Image Specification 1.1, config.md */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const json = parseObject(bytes, 'the configuration');
  const config = objectIn(json, 'config');
  const diffIds = textsIn(objectIn(json, 'rootfs'), 'diff_ids');
  if (!diffIds.every(isDigest)) throw damaged('layers without a digest');
  return {
    architecture: textIn(json, 'architecture'),
    os: textIn(json, 'os'),
    env: textsIn(config, 'Env'),
    entrypoint: textsIn(config, 'Entrypoint'),
    command: textsIn(config, 'Cmd'),
    workingDirectory: textIn(config, 'WorkingDir'),
    user: textIn(config, 'User'),
    diffIds,
  };
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new HostError('image-damaged', `image: ${what} is no JSON`, undefined, { cause: error });
  }
}

export function parseObject(bytes: Uint8Array, what: string): JsonObject {
  const json = parseJson(bytes, what);
  if (!isObject(json)) throw damaged(`${what} is no object`);
  return json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at a key; an empty one where nothing is. */
export function objectIn(json: JsonObject, key: string): JsonObject {
  const value = json[key] ?? {};
  if (!isObject(value)) throw damaged(`${key} is no object`);
  return value;
}

export function objectsIn(json: JsonObject, key: string): JsonObject[] {
  const value = json[key] ?? [];
  if (!Array.isArray(value) || !value.every(isObject)) throw damaged(`${key} are no objects`);
  return value;
}

export function textIn(json: JsonObject, key: string): string {
  const value = json[key] ?? '';
  if (typeof value !== 'string') throw damaged(`${key} is no text`);
  return value;
}

export function textsIn(json: JsonObject, key: string): string[] {
  const value = json[key] ?? [];
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw damaged(`${key} are no texts`);
  }
  return value;
}

export function damaged(what: string): HostError {
  return new HostError('image-damaged', `image: ${what}`);
}

import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { sha256Hex } from './file-cache.ts';
import { isObject, parseObject, textIn } from './oci/image-config.ts';
import type { JsonObject } from './oci/image-config.ts';

/** An image to be stored: its files by what they are for, and how to boot it. */
export interface NewImage {
  /** An uncompressed kernel. */
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  /** An archive (tar) of the root directory, which the kernel mounts by the tag `polyvisor`. */
  readonly root?: Uint8Array;
  /** What the kernel is told. */
  readonly commandLine: string;
  /** Whether the guest runs an agent: see `guest/agent-script.ts`. */
  readonly hasAgent: boolean;
  /** Where it comes from, for people. */
  readonly source: string;
}

/** An image of the store; its files by absolute paths. */
export interface StoredImage {
  readonly name: string;
  readonly kernel: string;
  readonly initrd?: string;
  readonly root?: string;
  readonly commandLine: string;
  readonly hasAgent: boolean;
  readonly source: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** By name in the image's folder. */
  readonly files: ReadonlyMap<string, StoredFile>;
  /** Of all files together. */
  readonly bytes: number;
}

export interface StoredFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** An image that can't be used. */
export interface DamagedImage {
  readonly name: string;
  readonly damage: string;
}

const FORMAT = 1;
const ABOUT = 'image.json';
const ABOUT_BYTES_MAX = 1024 * 1024;
/** Names in an image's folder. */
const FILE_NAMES = { kernel: 'kernel', initrd: 'initrd', root: 'root.tar' } as const;
const FILE_KINDS = ['kernel', 'initrd', 'root'] as const;
/** A name is a folder's; what begins with a dot is on its way in or out. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;

/** The images of a store, by name. @param home the directory that has `images/` */
export function listImages(home: string): (StoredImage | DamagedImage)[] {
  return namesIn(home).map((name) => {
    try {
      return readImage(home, name);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return { name, damage: error.message };
    }
  });
}

/** @throws HostError `bad-name`, `no-image`, `image-damaged` */
export function findImage(home: string, name: string): StoredImage {
  checkName(name);
  const names = namesIn(home);
  if (names.includes(name)) return readImage(home, name);
  const there = names.length > 0 ? `there are ${names.join(', ')}` : 'there is none yet';
  throw new HostError(
    'no-image',
    `there is no image ${name}; ${there}`,
    'see: polyvisor images ls',
  );
}

/**
 * A file's content, which is what was put there.
 * @throws HostError `image-damaged`, and for an image without such a file
 */
export function readImageFile(image: StoredImage, kind: (typeof FILE_KINDS)[number]): Uint8Array {
  const path = image[kind];
  if (path === undefined) throw damaged(image.name, `it has no ${kind}`);
  const bytes = readFileSync(path);
  if (sha256Hex(bytes) !== image.files.get(FILE_NAMES[kind])!.sha256) {
    throw damaged(image.name, `${FILE_NAMES[kind]} is not what was stored`);
  }
  return bytes;
}

/**
 * Whether an image of this name can be added, before the work of making it.
 * @throws HostError `bad-name`, `image-exists`
 */
export function checkFree(
  home: string,
  name: string,
  { isReplacing = false }: { readonly isReplacing?: boolean } = {},
): void {
  checkName(name);
  if (!isReplacing && namesIn(home).includes(name)) throw exists(name);
}

/**
 * Puts an image into the store: whole, or not at all.
 * @param isReplacing takes the place of one with the same name
 * @throws HostError `bad-name`, `image-exists`
 */
export function addImage(
  home: string,
  name: string,
  image: NewImage,
  { isReplacing = false }: { readonly isReplacing?: boolean } = {},
): StoredImage {
  checkFree(home, name, { isReplacing });
  const directory = imagesIn(home);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const part = join(directory, `.${name}.${randomUUID()}`);
  try {
    mkdirSync(part, { mode: 0o700 });
    write(part, image);
    // A folder takes no other's place by itself: the old one goes aside first.
    if (isReplacing) removeImage(home, name, { mayBeMissing: true });
    renameSync(part, join(directory, name));
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOTEMPTY' || code === 'EEXIST' ? exists(name) : error;
  }
  return readImage(home, name);
}

/** @throws HostError `bad-name`, `no-image` */
export function removeImage(
  home: string,
  name: string,
  { mayBeMissing = false }: { readonly mayBeMissing?: boolean } = {},
): void {
  checkName(name);
  const names = namesIn(home);
  if (!names.includes(name)) {
    if (mayBeMissing) return;
    findImage(home, name);
  }
  const gone = join(imagesIn(home), `.${name}.${randomUUID()}`);
  renameSync(join(imagesIn(home), name), gone);
  rmSync(gone, { recursive: true, force: true });
}

function write(directory: string, image: NewImage): void {
  const files: Record<string, StoredFile> = {};
  const named: Record<string, string> = {};
  for (const kind of FILE_KINDS) {
    const bytes = image[kind];
    if (!bytes) continue;
    named[kind] = FILE_NAMES[kind];
    files[FILE_NAMES[kind]] = { bytes: bytes.length, sha256: sha256Hex(bytes) };
    writeFileSync(join(directory, FILE_NAMES[kind]), bytes);
  }
  const { commandLine, hasAgent, source } = image;
  const createdAt = new Date().toISOString();
  const about = { format: FORMAT, ...named, commandLine, hasAgent, source, createdAt, files };
  writeFileSync(join(directory, ABOUT), `${JSON.stringify(about, undefined, 2)}\n`);
}

function readImage(home: string, name: string): StoredImage {
  const directory = join(imagesIn(home), name);
  const about = readAbout(name, join(directory, ABOUT));
  const files = new Map<string, StoredFile>();
  const paths: Partial<Record<(typeof FILE_KINDS)[number], string>> = {};
  const entries = about['files'];
  for (const kind of FILE_KINDS) {
    const file = about[kind];
    if (file === undefined) continue;
    const known = FILE_NAMES[kind];
    // No other name is read, so none leads out of the folder.
    if (file !== known) throw damaged(name, `its ${kind} is in no file of its own`);
    const path = join(directory, known);
    files.set(known, readEntry(name, path, isObject(entries) ? entries[known] : undefined));
    paths[kind] = path;
  }
  const { kernel } = paths;
  if (kernel === undefined) throw damaged(name, 'it has no kernel');
  const { commandLine, hasAgent } = about;
  if (typeof commandLine !== 'string' || typeof hasAgent !== 'boolean') {
    throw damaged(name, `${ABOUT} does not say how to boot it`);
  }
  return {
    name,
    ...paths,
    kernel,
    commandLine,
    hasAgent,
    source: textIn(about, 'source'),
    createdAt: textIn(about, 'createdAt'),
    files,
    bytes: [...files.values()].reduce((sum, file) => sum + file.bytes, 0),
  };
}

function readAbout(name: string, path: string): JsonObject {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (size === undefined || size > ABOUT_BYTES_MAX) throw damaged(name, `it has no ${ABOUT}`);
  const about = parseObject(readFileSync(path), path);
  if (about['format'] === FORMAT) return about;
  throw new HostError(
    'image-not-supported',
    `image ${name} has format ${JSON.stringify(about['format'])}, and only ${FORMAT} is known`,
    'make it again, or use the polyvisor that made it',
  );
}

/** What is said about a file, if the file is as long. */
function readEntry(name: string, path: string, entry: unknown): StoredFile {
  const { bytes, sha256 } = isObject(entry) ? entry : {};
  const isSound = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (!isSound || typeof bytes !== 'number' || size !== bytes) {
    throw damaged(name, `${path} is not what was stored`);
  }
  return { bytes, sha256 };
}

function namesIn(home: string): string[] {
  try {
    const entries = readdirSync(imagesIn(home), { withFileTypes: true });
    const folders = entries.filter((each) => each.isDirectory() && NAME.test(each.name));
    return folders.map((each) => each.name).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function imagesIn(home: string): string {
  return join(home, 'images');
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new HostError(
    'bad-name',
    `'${name}' can't be the name of an image`,
    'take up to 64 letters, digits, hyphens, underscores and dots, and no dot in front',
  );
}

function exists(name: string): HostError {
  return new HostError(
    'image-exists',
    `there is an image ${name} already`,
    'give another --name, or --replace it',
  );
}

function damaged(name: string, what: string): HostError {
  const hint = `remove it: polyvisor images rm ${name}`;
  return new HostError('image-damaged', `image ${name}: ${what}`, hint);
}

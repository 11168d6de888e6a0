import { posix } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { decompress } from '../archive/compression.ts';
import { readTar } from '../archive/tar.ts';
import { sha256Hex } from '../file-cache.ts';
import { makeDirectory } from '../file-tree.ts';
import type { DirectoryNode } from '../file-tree.ts';
import type { ImageLimits } from '../limits.ts';
import {
  damaged,
  isDigest,
  isObject,
  objectIn,
  objectsIn,
  parseImageConfig,
  parseJson,
  parseObject,
  textIn,
  textsIn,
} from './image-config.ts';
import type { ImageConfig, JsonObject } from './image-config.ts';
import { applyLayer } from './layers.ts';

export interface ContainerImage {
  readonly root: DirectoryNode;
  readonly config: ImageConfig;
}

export interface ImageChoice {
  /** Which one of an image for many. As OCI names it: `riscv64`, `amd64`… */
  readonly architecture: string;
  /** Which one of an archive of many, `name:tag`. Default: the only one. */
  readonly reference?: string;
}

/** Indexes may name indexes, but nobody goes far. */
const INDEX_DEPTH_MAX = 4;

/** Files of an archive by their paths. */
type Files = ReadonlyMap<string, Uint8Array>;

/**
 * The image in an archive: an OCI layout, or what `docker save` writes; undefined where it is neither.
 * @throws HostError `image-damaged`, `image-not-supported`, `image-option` when the choice isn't there
 */
export function readContainerImage(
  archive: Uint8Array,
  choice: ImageChoice,
  limits: ImageLimits,
): ContainerImage | undefined {
  const files = readFiles(archive, limits);
  if (!files.has('oci-layout') && !files.has('manifest.json')) return undefined;
  const found = files.has('oci-layout') ? readLayout(files, choice) : readSaved(files, choice);
  const config = parseImageConfig(found.config);
  if (config.os !== 'linux' || config.architecture !== choice.architecture) {
    throw new HostError(
      'image-option',
      `the image is for ${config.os} on ${config.architecture}, not linux on ${choice.architecture}`,
    );
  }
  if (found.layers.length > limits.layersMax) throw damaged(`${found.layers.length} layers`);
  if (found.layers.length !== config.diffIds.length) throw damaged('layers that nobody names');
  const root = makeDirectory();
  found.layers.forEach((packed, index) => {
    const layer = decompress(packed, limits.unpackedBytesMax);
    if (`sha256:${sha256Hex(layer)}` !== config.diffIds[index]) {
      throw damaged(`layer ${index} is not ${config.diffIds[index]}`);
    }
    applyLayer(root, layer, limits.entriesMax);
  });
  return { root, config };
}

interface Found {
  readonly config: Uint8Array;
  readonly layers: readonly Uint8Array[];
}

function readFiles(archive: Uint8Array, limits: ImageLimits): Files {
  const files = new Map<string, Uint8Array>();
  /** Old archives have equal layers once, and links to it, which may come first. */
  const links = new Map<string, string>();
  for (const entry of readTar(archive, limits.entriesMax)) {
    const path = posix.normalize(entry.path);
    if ('hardLinkTo' in entry) links.set(path, posix.normalize(entry.hardLinkTo));
    else if (entry.node.kind === 'file') files.set(path, entry.node.content);
    else if (entry.node.kind === 'symlink') {
      links.set(path, posix.join(posix.dirname(path), entry.node.target));
    }
  }
  for (const [path, target] of links) {
    const content = files.get(target);
    if (content) files.set(path, content);
  }
  return files;
}

/** @see OCI Image Specification 1.1, image-layout.md */
function readLayout(files: Files, choice: ImageChoice): Found {
  const index = parseObject(fileIn(files, 'index.json'), 'index.json');
  let manifests = objectsIn(index, 'manifests');
  if (choice.reference !== undefined) {
    manifests = manifests.filter((each) => isReference(each, choice.reference!));
    if (manifests.length === 0) throw notThere(choice.reference);
  }
  const manifest = findManifest(files, manifests, choice, 1);
  return {
    config: blobIn(files, objectIn(manifest, 'config')),
    layers: objectsIn(manifest, 'layers').map((layer) => blobIn(files, layer)),
  };
}

function isReference(descriptor: JsonObject, reference: string): boolean {
  const annotations = objectIn(descriptor, 'annotations');
  const names = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'];
  return names.some((name) => annotations[name] === reference);
}

function findManifest(
  files: Files,
  descriptors: readonly JsonObject[],
  choice: ImageChoice,
  depth: number,
): JsonObject {
  if (depth > INDEX_DEPTH_MAX) throw damaged('indexes of indexes of indexes');
  const fitting = descriptors.filter((each) => {
    const platform = objectIn(each, 'platform');
    const architecture = textIn(platform, 'architecture');
    return architecture === '' || architecture === choice.architecture;
  });
  const [descriptor] = fitting;
  if (!descriptor) throw notThere(choice.architecture);
  const isForOne =
    fitting.length === 1 || textIn(objectIn(descriptor, 'platform'), 'architecture') !== '';
  if (!isForOne) {
    throw new HostError('image-option', 'the archive has several images', 'say which, by its name');
  }
  const json = parseObject(blobIn(files, descriptor), 'a manifest');
  const isIndex = json['manifests'] !== undefined;
  return isIndex ? findManifest(files, objectsIn(json, 'manifests'), choice, depth + 1) : json;
}

/** What `docker save` wrote before it wrote layouts: `manifest.json` names files. */
function readSaved(files: Files, { reference }: ImageChoice): Found {
  const list = parseJson(fileIn(files, 'manifest.json'), 'manifest.json');
  if (!Array.isArray(list) || !list.every(isObject)) throw damaged('a list of no images');
  const fitting = list.filter((each) => {
    return reference === undefined || textsIn(each, 'RepoTags').includes(reference);
  });
  const [manifest] = fitting;
  if (!manifest) throw notThere(reference ?? 'image');
  if (fitting.length > 1) {
    throw new HostError('image-option', 'the archive has several images', 'say which, by its name');
  }
  return {
    config: fileIn(files, textIn(manifest, 'Config')),
    layers: textsIn(manifest, 'Layers').map((path) => fileIn(files, path)),
  };
}

function fileIn(files: Files, path: string): Uint8Array {
  const content = files.get(path);
  if (!content) throw damaged(`there is no ${path}`);
  return content;
}

/** The content that a descriptor names, which has to be what it says. */
function blobIn(files: Files, descriptor: JsonObject): Uint8Array {
  const digest = textIn(descriptor, 'digest');
  if (!isDigest(digest)) throw damaged(`'${digest.slice(0, 100)}' is no digest`);
  const content = fileIn(files, `blobs/${digest.replace(':', '/')}`);
  if (`sha256:${sha256Hex(content)}` !== digest) throw damaged(`a blob is not ${digest}`);
  return content;
}

function notThere(what: string): HostError {
  return new HostError('image-option', `the archive has no image for ${what}`);
}

import { HostError } from '@polyvisor/errors/host-error';
import { decompress, hasXz } from '../archive/compression.ts';
import type { FetchDoor } from '../fetch-door.ts';
import { sha256Hex } from '../file-cache.ts';
import type { FileCache } from '../file-cache.ts';
import { parsePackages } from './package-info.ts';
import type { PackageInfo } from './package-info.ts';
import { RELEASE_BYTES_MAX, readRelease } from './release.ts';
import type { Release, ReleaseTrust } from './release.ts';

export interface RepositoryOptions {
  readonly door: FetchDoor;
  readonly cache: FileCache;
  /** Address without a slash at the end. */
  readonly mirror: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly architecture: string;
  readonly trust: ReleaseTrust;
  readonly signal?: AbortSignal;
}

/** One index of packages, unpacked; Debian's largest has 60 MB. */
const INDEX_BYTES_MAX = 512 * 1024 * 1024;
/** One package; Debian's largest has about 1 GB. */
const PACKAGE_BYTES_MAX = 2 * 1024 * 1024 * 1024;

/** A Debian repository. What it gives was checked against the release, and the release as `trust` says. */
export class Repository {
  readonly #options: RepositoryOptions;
  readonly release: Release;
  readonly packages: readonly PackageInfo[];

  private constructor(
    options: RepositoryOptions,
    release: Release,
    packages: readonly PackageInfo[],
  ) {
    this.#options = options;
    this.release = release;
    this.packages = packages;
  }

  /**
   * Reads the release and its indexes.
   * @throws HostError `fetch-failed`, `release-untrusted`, `release-gpgv`, `image-damaged`, `image-xz`,
   *   `image-option` for a component or an architecture that it doesn't have
   */
  static async open(options: RepositoryOptions): Promise<Repository> {
    const { door, mirror, suite, components, architecture, trust, signal } = options;
    const address = `${mirror}/dists/${suite}/InRelease`;
    const bytes = await door.get(address, RELEASE_BYTES_MAX, signal);
    if (!bytes) throw new HostError('fetch-failed', `there is no ${address}`);
    const release = readRelease(bytes, sha256Hex(bytes), trust);
    if (release.suite !== suite && release.codename !== suite) {
      throw new HostError('release-untrusted', `${address} is the release of ${release.codename}`);
    }
    const indexes: PackageInfo[][] = [];
    for (const component of components) {
      indexes.push(
        await readIndex(options, release, `${component}/binary-${architecture}/Packages`),
      );
    }
    return new Repository(options, release, indexes.flat());
  }

  /** Its address, without a slash at the end. */
  get mirror(): string {
    return this.#options.mirror;
  }

  /** The name that the release was asked for by. */
  get suite(): string {
    return this.#options.suite;
  }

  /**
   * A file that the release names, as it is.
   * @param path below the directory of the release
   * @throws HostError `fetch-failed`, `image-damaged`, `image-option` where it names no such file
   */
  async downloadIndex(path: string): Promise<Uint8Array> {
    return await fetchIndex(this.#options, this.release, path);
  }

  /** The file of a package. @throws HostError `fetch-failed`, `image-damaged` when it isn't what the index says */
  async download(info: PackageInfo): Promise<Uint8Array> {
    const { mirror } = this.#options;
    return await fetchHashed(this.#options, `${mirror}/${info.fileName}`, info, PACKAGE_BYTES_MAX);
  }
}

async function readIndex(
  options: RepositoryOptions,
  release: Release,
  path: string,
): Promise<PackageInfo[]> {
  const xz = `${path}.xz`;
  const forms = [`${path}.zst`, `${path}.gz`, xz, path];
  // Whether there is a program for it is only asked where nothing else will do.
  const form = forms.find((each) => release.files.has(each) && (each !== xz || hasXz()));
  if (form === undefined) {
    const hasForm = release.files.has(xz);
    throw new HostError(
      hasForm ? 'image-xz' : 'image-option',
      `the release of ${options.suite} has no ${path}${hasForm ? ' but compressed with xz' : ''}`,
      hasForm ? 'install xz-utils' : 'see its components and architectures',
    );
  }
  const bytes = await fetchIndex(options, release, form);
  return parsePackages(Buffer.from(decompress(bytes, INDEX_BYTES_MAX)).toString());
}

async function fetchIndex(
  options: RepositoryOptions,
  release: Release,
  path: string,
): Promise<Uint8Array> {
  const { mirror, suite } = options;
  const file = release.files.get(path);
  if (!file) throw new HostError('image-option', `the release of ${suite} has no ${path}`);
  const directory = path.slice(0, path.lastIndexOf('/') + 1);
  const place = release.isByHash ? `${directory}by-hash/SHA256/${file.sha256}` : path;
  return await fetchHashed(options, `${mirror}/dists/${suite}/${place}`, file, INDEX_BYTES_MAX);
}

async function fetchHashed(
  { door, cache, signal }: RepositoryOptions,
  address: string,
  { sha256, bytes }: { readonly sha256: string; readonly bytes: number },
  bytesMax: number,
): Promise<Uint8Array> {
  const cached = cache.get(sha256);
  if (cached) return cached;
  if (bytes > bytesMax) throw new HostError('image-damaged', `${address} has ${bytes} bytes`);
  const found = await door.get(address, bytes, signal);
  if (!found) {
    const hint = 'the mirror may be in the middle of an update: try again later, or another one';
    throw new HostError('fetch-failed', `there is no ${address}`, hint);
  }
  if (sha256Hex(found) !== sha256) {
    throw new HostError('image-damaged', `${address} is not the file that the release names`);
  }
  cache.put(sha256, found);
  return found;
}

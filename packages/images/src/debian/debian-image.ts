import { HostError } from '@polyvisor/errors/host-error';
import { httpDoor } from '../fetch-door.ts';
import type { FetchDoor } from '../fetch-door.ts';
import { FileCache } from '../file-cache.ts';
import type { DirectoryNode } from '../file-tree.ts';
import type { ReleaseTrust } from './release.ts';
import { Repository } from './repository.ts';
import { resolvePackages } from './resolve.ts';
import type { ResolveOptions } from './resolve.ts';
import { buildRoot } from './root-tree.ts';
import { checkMirror } from './sources.ts';
import type { AptSource } from './sources.ts';
import { systemSources } from './system-sources.ts';

export interface DebianOptions extends ResolveOptions {
  /** `trixie`, `stable`… */
  readonly suite: string;
  /** Default: riscv64. */
  readonly architecture?: string;
  /** Default: main. */
  readonly components?: readonly string[];
  /** Default: the first that the system's apt has. */
  readonly mirror?: string;
  /** Default: the keys that the system's apt has for that mirror. */
  readonly trust?: ReleaseTrust;
  /** Directory of the host for files that were downloaded. */
  readonly cacheDirectory: string;
  readonly door?: FetchDoor;
  readonly sources?: readonly AptSource[];
  readonly signal?: AbortSignal;
}

/**
 * A root directory of Debian: the base system and what is to be in it besides, unpacked from a mirror's packages.
 * @throws HostError `image-option` when there is neither a mirror nor a trust, and what `Repository`,
 *   `resolvePackages` and `buildRoot` throw
 */
export async function buildDebian(options: DebianOptions): Promise<DirectoryNode> {
  const repository = await openDebian(options);
  const packages = resolvePackages(repository.packages, options);
  return await buildRoot(packages, (info) => repository.download(info));
}

/** The repository that packages come from: single ones may be wanted too, such as a kernel's. */
export async function openDebian(options: DebianOptions): Promise<Repository> {
  const { sources = systemSources(), architecture = 'riscv64', components = ['main'] } = options;
  const mirror = options.mirror === undefined ? sources[0]?.mirror : checkMirror(options.mirror);
  if (mirror === undefined) {
    throw new HostError(
      'image-option',
      'no mirror of Debian is known',
      'name one: --mirror <address>',
    );
  }
  return await Repository.open({
    door: options.door ?? httpDoor,
    cache: new FileCache(options.cacheDirectory),
    mirror,
    suite: options.suite,
    components,
    architecture,
    trust: options.trust ?? trustOf(sources, mirror),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

function trustOf(sources: readonly AptSource[], mirror: string): ReleaseTrust {
  // Another mirror has the same signature, so keys of any will do.
  const source = sources.find((each) => each.mirror === mirror) ?? sources[0];
  const keyrings = source?.signedBy ?? [];
  if (keyrings.length === 0) {
    throw new HostError(
      'image-option',
      `no keys are known that sign ${mirror}`,
      'install debian-archive-keyring, or name a file with keys: --keyring <file>',
    );
  }
  return { kind: 'keyrings', keyrings };
}

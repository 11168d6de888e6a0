import { HostError } from '@polyvisor/errors/host-error';
import { unpackTar } from '../archive/unpack.ts';
import { readDeb } from '../debian/deb.ts';
import { openDebian } from '../debian/debian-image.ts';
import type { DebianOptions } from '../debian/debian-image.ts';
import type { PackageInfo } from '../debian/package-info.ts';
import type { Repository } from '../debian/repository.ts';
import { type DirectoryNode, lookUp, makeDirectory } from '../file-tree.ts';
import { type GuestModules, collectModules } from '../guest/kernel-modules.ts';
import { IMAGE_LIMITS } from '../limits.ts';

/** Where images are built from. */
export interface BuildOptions extends Omit<DebianOptions, 'suite' | 'include' | 'architecture'> {
  /** Default: trixie. */
  readonly suite?: string;
  /** Says what is done next. */
  readonly onProgress?: (doing: string) => void;
}

export interface GuestKernel {
  /** Name of the release, as `uname -r` says it. */
  readonly version: string;
  /** An uncompressed image. */
  readonly image: Uint8Array;
  readonly modules: GuestModules;
}

const ARCHITECTURE = 'riscv64';
const DEFAULT_SUITE = 'trixie';
/** Other names of a release, for a mirror that is in the middle of an update under one of them. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = { trixie: ['stable'] };
/** Signs that a mirror is not whole. What is signed by nobody we know is not asked for again. */
const INCOMPLETE = ['fetch-failed', 'image-damaged'];

/**
 * Debian's packages for guests, under the first of the release's names under which the mirror is
 * whole.
 * @throws HostError what `openDebian` throws, and `release-untrusted` for another release by the
 * name
 */
export async function openMirror(options: BuildOptions): Promise<Repository> {
  const { suite = DEFAULT_SUITE, onProgress } = options;
  const names = [suite, ...(OTHER_NAMES[suite] ?? [])];
  const refusals: string[] = [];
  for (const name of names) {
    try {
      onProgress?.(`the index of Debian ${name}`);
      const repository = await openDebian({
        ...options,
        suite: name,
        include: [],
        architecture: ARCHITECTURE,
      });
      const { codename } = repository.release;
      if (name === suite || codename === suite) return repository;
      refusals.push(`${name} is ${codename}`);
    } catch (error) {
      if (!(error instanceof HostError) || !INCOMPLETE.includes(error.code)) throw error;
      refusals.push(error.message);
    }
  }
  throw new HostError('fetch-failed', refusals.join('; '), 'try again later, or another --mirror');
}

/** `Debian trixie (13.7)` */
export function describeRelease({ release: { codename, version } }: Repository): string {
  return version === '' ? `Debian ${codename}` : `Debian ${codename} (${version})`;
}

/** @throws HostError `package-unknown`, and what a download throws */
export async function fetchPackage(
  repository: Repository,
  name: string,
  { onProgress }: BuildOptions,
): Promise<{ readonly info: PackageInfo; readonly root: DirectoryNode }> {
  const info = findPackage(repository, name);
  onProgress?.(describePackage(info));
  const { data } = readDeb(await repository.download(info), IMAGE_LIMITS);
  const root = makeDirectory();
  unpackTar(root, data, IMAGE_LIMITS.entriesMax);
  return { info, root };
}

/** The kernel that the release has for everybody. */
export async function fetchKernel(
  repository: Repository,
  options: BuildOptions,
): Promise<GuestKernel> {
  const [[dependency] = []] = findPackage(repository, `linux-image-${ARCHITECTURE}`).depends;
  const version = /^linux-image-(.+)$/.exec(dependency?.name ?? '')?.[1];
  if (version === undefined) {
    throw new HostError('package-unmet', `linux-image-${ARCHITECTURE} names no kernel`);
  }
  const { root } = await fetchPackage(repository, `linux-image-${version}`, options);
  const image = lookUp(root, `boot/vmlinux-${version}`);
  const modules = lookUp(root, `usr/lib/modules/${version}`);
  if (image?.kind !== 'file' || modules?.kind !== 'directory') {
    throw new HostError('image-damaged', `linux-image-${version} has no kernel where they are`);
  }
  return { version, image: image.content, modules: collectModules(modules) };
}

/** Tools in one static file. */
export async function fetchBusybox(
  repository: Repository,
  options: BuildOptions,
): Promise<{ readonly version: string; readonly program: Uint8Array }> {
  const { info, root } = await fetchPackage(repository, 'busybox-static', options);
  const program = lookUp(root, 'usr/bin/busybox') ?? lookUp(root, 'bin/busybox');
  if (program?.kind !== 'file') {
    throw new HostError('image-damaged', 'busybox-static has no busybox');
  }
  return { version: info.version, program: program.content };
}

export function describePackage({ name, version, bytes }: PackageInfo): string {
  return `${name} ${version} (${(bytes / 2 ** 20).toFixed(1)} MiB)`;
}

function findPackage(repository: Repository, name: string): PackageInfo {
  const info = repository.packages.findLast((each) => each.name === name);
  if (info) return info;
  throw new HostError('package-unknown', `the mirror has no package ${name} for ${ARCHITECTURE}`);
}

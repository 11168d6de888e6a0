import { HostError } from '@polyvisor/errors/host-error';
import { isMet } from './package-info.ts';
import type { PackageInfo, Wanted } from './package-info.ts';
import { compareVersions } from './version.ts';

export interface ResolveOptions {
  /** Packages by name. */
  readonly include: readonly string[];
  /** Essential packages and those of priority `required`, as any Debian system has them. Default: true. */
  readonly withBase?: boolean;
  /** Packages that must not be taken, even where something depends on them. */
  readonly exclude?: readonly string[];
}

/**
 * The packages that are needed: those asked for, and what they depend on, each before those that depend on it, as
 * far as they don't depend on each other. Of alternatives it takes one that is there already, else the first that
 * can be had.
 * @throws HostError `package-unknown`, `package-unmet`
 */
export function resolvePackages(
  available: readonly PackageInfo[],
  options: ResolveOptions,
): PackageInfo[] {
  return new Resolver(available, options).run();
}

class Resolver {
  readonly #options: ResolveOptions;
  readonly #byName = new Map<string, PackageInfo>();
  readonly #providers = new Map<string, { readonly by: PackageInfo; readonly as: Wanted }[]>();
  /** In the order they are to be unpacked in; a package is in `#begun` before it's here. */
  readonly #taken: PackageInfo[] = [];
  readonly #begun = new Set<PackageInfo>();

  constructor(available: readonly PackageInfo[], options: ResolveOptions) {
    this.#options = options;
    const excluded = new Set(options.exclude);
    for (const info of available) {
      if (excluded.has(info.name)) continue;
      const known = this.#byName.get(info.name);
      if (known && compareVersions(known.version, info.version) >= 0) continue;
      this.#byName.set(info.name, info);
    }
    for (const by of this.#byName.values()) {
      for (const as of by.provides) {
        const providers = this.#providers.get(as.name);
        if (providers) providers.push({ by, as });
        else this.#providers.set(as.name, [{ by, as }]);
      }
    }
  }

  run(): PackageInfo[] {
    const { include, withBase = true } = this.#options;
    if (withBase) {
      for (const info of this.#byName.values()) {
        if (info.isEssential || info.priority === 'required') this.#take(info);
      }
    }
    for (const name of include) {
      const info = this.#candidates({ name })[0];
      if (!info) throw new HostError('package-unknown', `there is no package ${name}`);
      this.#take(info);
    }
    return this.#taken;
  }

  /** Without recursion: chains of dependencies may be as long as whoever wrote the index liked. */
  #take(first: PackageInfo): void {
    if (this.#begun.has(first)) return;
    this.#begun.add(first);
    const stack = [{ info: first, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const alternatives = top.info.depends[top.next++];
      if (!alternatives) {
        this.#taken.push(top.info);
        stack.pop();
        continue;
      }
      const needed = this.#choose(top.info, alternatives);
      if (this.#begun.has(needed)) continue;
      this.#begun.add(needed);
      stack.push({ info: needed, next: 0 });
    }
  }

  #choose(by: PackageInfo, alternatives: readonly Wanted[]): PackageInfo {
    const candidates = alternatives.flatMap((wanted) => this.#candidates(wanted));
    const chosen = candidates.find((info) => this.#begun.has(info)) ?? candidates[0];
    if (chosen) return chosen;
    const wanted = alternatives.map(({ name, relation, version }) => {
      return relation === undefined ? name : `${name} (${relation} ${version})`;
    });
    throw new HostError(
      'package-unmet',
      `${by.name} needs ${wanted.join(' or ')}, which isn't there`,
    );
  }

  #candidates(wanted: Wanted): PackageInfo[] {
    const real = this.#byName.get(wanted.name);
    const found = real && isMet(wanted, real.version) ? [real] : [];
    for (const { by, as } of this.#providers.get(wanted.name) ?? []) {
      // What is provided without a version fulfils no wish for one.
      const isVersion =
        as.version === undefined ? wanted.version === undefined : isMet(wanted, as.version);
      if (isVersion) found.push(by);
    }
    return found;
  }
}

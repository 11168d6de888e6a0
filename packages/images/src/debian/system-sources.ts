import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseSources, parseSourcesList } from './sources.ts';
import type { AptSource } from './sources.ts';

/** Where Debian's own keys are, when the sources don't say. */
const DEBIAN_KEYRING = 'usr/share/keyrings/debian-archive-keyring.gpg';
const TRUSTED_KEYS = 'etc/apt/trusted.gpg.d';

/**
 * The sources of the system's apt, with the keys that it trusts; none on a system without apt.
 * @param root directory that the system is in
 * @throws HostError `image-damaged`
 */
export function systemSources(root = '/'): AptSource[] {
  const list = join(root, 'etc/apt/sources.list');
  const more = join(root, 'etc/apt/sources.list.d');
  const files = [list, ...namesIn(more).map((name) => join(more, name))];
  const sources = files.flatMap((path) => {
    if (!existsSync(path)) return [];
    const text = readFileSync(path, 'utf8');
    if (path.endsWith('.sources')) return parseSources(text);
    return path.endsWith('.list') ? parseSourcesList(text) : [];
  });
  const trusted = trustedKeys(root);
  return sources.map((source) => {
    return source.signedBy.length > 0 ? source : { ...source, signedBy: trusted };
  });
}

function trustedKeys(root: string): string[] {
  const keys = namesIn(join(root, TRUSTED_KEYS)).map((name) => join(root, TRUSTED_KEYS, name));
  return [join(root, DEBIAN_KEYRING), ...keys].filter((path) => {
    return path.endsWith('.gpg') && existsSync(path);
  });
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).toSorted() : [];
}

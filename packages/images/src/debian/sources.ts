import { HostError } from '@polyvisor/errors/host-error';
import { parseControl } from './control.ts';

/** Where packages come from, as apt knows it. */
export interface AptSource {
  /** Address of the mirror without a slash at the end. */
  readonly mirror: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Files with the keys that sign it; none: whatever the system trusts. */
  readonly signedBy: readonly string[];
}

/**
 * Sources of a `.sources` file. Those for source packages, switched off, or flat are left out.
 * @throws HostError `image-damaged`
 * @see sources.list(5)
 */
export function parseSources(text: string): AptSource[] {
  return [...parseControl(text)].flatMap((fields) => {
    const words = (field: string): string[] =>
      fields.get(field)?.split(/\s+/).filter(Boolean) ?? [];
    if (!words('types').includes('deb') || /^(no|false|off|0)$/.test(fields.get('enabled') ?? '')) {
      return [];
    }
    const key = fields.get('signed-by') ?? '';
    // A key in the file itself, not the name of one, is left to the system's.
    const signedBy = key.includes('-----BEGIN') ? [] : words('signed-by');
    return words('uris').flatMap((uri) =>
      words('suites').flatMap((suite) => source(uri, suite, words('components'), signedBy)),
    );
  });
}

/** Sources of a `sources.list` file, one a line. */
export function parseSourcesList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const plain = line.replace(/#.*/, '').trim();
    const match = /^deb(?:\s+\[([^\]]*)\])?\s+(\S+)\s+(\S+)\s*(.*)$/.exec(plain);
    if (!match) return [];
    const [, options = '', uri, suite, components = ''] = match;
    const key = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    const signedBy = key === undefined ? [] : key.split(',');
    return source(uri!, suite!, components.split(/\s+/).filter(Boolean), signedBy);
  });
}

/** A mirror that somebody names. @throws HostError `image-option` */
export function checkMirror(address: string): string {
  const isAddress = URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
  if (!isAddress) throw new HostError('image-option', `'${address}' is no address of a mirror`);
  return address.replace(/\/+$/, '');
}

function source(
  uri: string,
  suite: string,
  components: readonly string[],
  signedBy: readonly string[],
): AptSource[] {
  const isFlat = suite.endsWith('/');
  if (isFlat || components.length === 0 || !/^https?:\/\//.test(uri)) return [];
  return [{ mirror: checkMirror(uri), suite, components, signedBy }];
}

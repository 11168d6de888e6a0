import { HostError } from '@polyvisor/errors/host-error';
import { parseControl } from './control.ts';
import type { Paragraph } from './control.ts';
import { compareVersions } from './version.ts';

/** One of the packages that fulfil a dependency. */
export interface Wanted {
  readonly name: string;
  readonly relation?: '<<' | '<=' | '=' | '>=' | '>>';
  readonly version?: string;
}

/** What a package index says about a package. */
export interface PackageInfo {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of each, one of the alternatives is needed. `Pre-Depends` and `Depends` together. */
  readonly depends: readonly (readonly Wanted[])[];
  readonly provides: readonly Wanted[];
  readonly isEssential: boolean;
  readonly priority: string;
  /** Path below the mirror. */
  readonly fileName: string;
  readonly bytes: number;
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
}

/** @throws HostError `image-damaged` */
export function parsePackages(text: string): PackageInfo[] {
  return Array.from(parseControl(text), (paragraph) => {
    const bytes = Number(needed(paragraph, 'size'));
    const sha256 = needed(paragraph, 'sha256').toLowerCase();
    const fileName = needed(paragraph, 'filename');
    const isSound =
      Number.isSafeInteger(bytes) &&
      bytes > 0 &&
      /^[0-9a-f]{64}$/.test(sha256) &&
      isBelow(fileName);
    if (!isSound) throw damaged(`package ${paragraph.get('package')} without a sound file`);
    return {
      name: needed(paragraph, 'package'),
      version: needed(paragraph, 'version'),
      architecture: needed(paragraph, 'architecture'),
      depends: ['pre-depends', 'depends'].flatMap((field) => parseDepends(paragraph.get(field))),
      provides: parseDepends(paragraph.get('provides')).flat(),
      isEssential: paragraph.get('essential') === 'yes',
      priority: paragraph.get('priority') ?? 'optional',
      fileName,
      bytes,
      sha256,
    };
  });
}

/** `a (>= 1) | b, c:any` @throws HostError `image-damaged` @see Debian Policy 7.1 */
export function parseDepends(text = ''): Wanted[][] {
  const all = text.split(',').filter((part) => part.trim() !== '');
  return all.map((alternatives) => alternatives.split('|').map(parseWanted));
}

const WANTED =
  /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?(?:\s*\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?(?:\s*\[[^\]]*\])?$/i;

function parseWanted(text: string): Wanted {
  const match = WANTED.exec(text.trim());
  if (!match) throw damaged(`'${text.trim().slice(0, 100)}' is no dependency`);
  const [, name, relation, version] = match;
  if (relation === undefined || version === undefined) return { name: name! };
  // Long ago `<` and `>` meant what `<=` and `>=` mean.
  const known = relation === '<' || relation === '>' ? (`${relation}=` as const) : relation;
  return { name: name!, relation: known as NonNullable<Wanted['relation']>, version };
}

/** Whether a package of this version is what is wanted. */
export function isMet({ relation, version }: Wanted, actual: string): boolean {
  if (relation === undefined || version === undefined) return true;
  const order = compareVersions(actual, version);
  switch (relation) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
    default:
      return relation satisfies never;
  }
}

/** Whether a path stays below where it's put. */
export function isBelow(path: string): boolean {
  const parts = path.split('/');
  return /^[\x21-\x7e]+$/.test(path) && parts.every((part) => part !== '' && part !== '..');
}

function needed(paragraph: Paragraph, field: string): string {
  const value = paragraph.get(field);
  if (value === undefined || value === '') throw damaged(`a package without ${field}`);
  return value;
}

function damaged(what: string): HostError {
  return new HostError('image-damaged', `packages: ${what}`);
}

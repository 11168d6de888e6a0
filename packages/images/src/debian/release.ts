import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { parseControl } from './control.ts';

/** How a repository shows that it's the one that is meant. */
export type ReleaseTrust =
  /** Signed by one of these keys: files of the host, in the binary or armored form that gpgv reads. */
  | { readonly kind: 'keyrings'; readonly keyrings: readonly string[] }
  /** SHA-256 of the `InRelease` file, in hexadecimal: this state of the repository, and no other. */
  | { readonly kind: 'pinned'; readonly sha256: string }
  /** Nothing: whoever answers for the mirror decides what is in the image. */
  | { readonly kind: 'unverified' };

export interface ReleaseFile {
  readonly sha256: string;
  readonly bytes: number;
}

export interface Release {
  readonly suite: string;
  readonly codename: string;
  /** `13.7`; empty where a release has none. */
  readonly version: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Whether files are also at `by-hash/SHA256/<hash>` beside them, where a mirror being updated doesn't mix them. */
  readonly isByHash: boolean;
  /** By path below the directory of the release. */
  readonly files: ReadonlyMap<string, ReleaseFile>;
}

/**
 * Reads what a signed release says, after its signature was checked.
 * @param sha256 of the bytes, in hexadecimal
 * @throws HostError `release-untrusted`, `release-gpgv` when there is no program to check it, `image-damaged`
 */
export function readRelease(inRelease: Uint8Array, sha256: string, trust: ReleaseTrust): Release {
  switch (trust.kind) {
    case 'keyrings':
      return parseRelease(verify(inRelease, trust.keyrings));
    case 'pinned':
      if (sha256 !== trust.sha256.toLowerCase()) {
        throw new HostError(
          'release-untrusted',
          `the release has SHA-256 ${sha256}, not the pinned`,
        );
      }
      return parseRelease(withoutSignature(inRelease));
    case 'unverified':
      return parseRelease(withoutSignature(inRelease));
    default:
      return trust satisfies never;
  }
}

/** What gpgv says was signed, which is not always all of a file. */
function verify(inRelease: Uint8Array, keyrings: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'polyvisor-release-'));
  try {
    const path = join(directory, 'InRelease');
    writeFileSync(path, inRelease);
    const keys = keyrings.flatMap((keyring) => ['--keyring', keyring]);
    const run = spawnSync('gpgv', [...keys, '--output', '-', path], {
      maxBuffer: RELEASE_BYTES_MAX,
      env: { ...process.env, GNUPGHOME: directory, LC_ALL: 'C' },
    });
    if ((run.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
      throw new HostError(
        'release-gpgv',
        'there is no gpgv to check the signature of the release with',
        'install gpgv',
      );
    }
    if (run.error || run.status !== 0) {
      const why = run.stderr.toString().trim().split('\n').at(-1) ?? '';
      throw new HostError('release-untrusted', `the signature of the release is not good: ${why}`);
    }
    return run.stdout.toString();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export const RELEASE_BYTES_MAX = 16 * 1024 * 1024;
const SIGNED = '-----BEGIN PGP SIGNED MESSAGE-----';
const SIGNATURE = '\n-----BEGIN PGP SIGNATURE-----';

/** The text between the marks, with the escape of lines that begin with a hyphen undone. @see RFC 9580 7 */
function withoutSignature(inRelease: Uint8Array): string {
  const text = Buffer.from(inRelease).toString().replaceAll('\r\n', '\n');
  if (!text.startsWith(SIGNED)) return text;
  const start = text.indexOf('\n\n');
  const end = text.indexOf(SIGNATURE);
  if (start < 0 || end < start) throw new HostError('image-damaged', 'a release without its end');
  return text.slice(start + 2, end).replaceAll(/^- /gm, '');
}

function parseRelease(text: string): Release {
  const [fields] = parseControl(text);
  const files = new Map<string, ReleaseFile>();
  for (const line of (fields?.get('sha256') ?? '').split('\n')) {
    const match = /^([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)$/.exec(line.trim());
    if (match) files.set(match[3]!, { sha256: match[1]!, bytes: Number(match[2]) });
  }
  if (!fields || files.size === 0) {
    throw new HostError('image-damaged', 'a release that names no files by SHA-256');
  }
  checkDate(fields.get('valid-until'));
  const words = (field: string): string[] => fields.get(field)?.split(/\s+/) ?? [];
  return {
    suite: fields.get('suite') ?? '',
    codename: fields.get('codename') ?? '',
    version: fields.get('version') ?? '',
    components: words('components'),
    architectures: words('architectures'),
    isByHash: fields.get('acquire-by-hash') === 'yes',
    files,
  };
}

/** A mirror that is kept at an old state would keep old mistakes in images. */
function checkDate(validUntil: string | undefined): void {
  if (validUntil === undefined) return;
  const until = Date.parse(validUntil);
  if (Number.isNaN(until) || until < Date.now()) {
    throw new HostError('release-untrusted', `the release was valid until ${validUntil}`);
  }
}

import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { latin1ToBytes } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';
import { insert, lookUp, makeDirectory, splitPath, walk } from '../file-tree.ts';
import type { Attributes, DirectoryNode } from '../file-tree.ts';
import { readTar } from '../archive/tar.ts';
import { insertEntry } from '../archive/unpack.ts';
import { IMAGE_LIMITS } from '../limits.ts';
import type { ImageLimits } from '../limits.ts';
import { parseControl } from './control.ts';
import { readDeb } from './deb.ts';
import type { PackageInfo } from './package-info.ts';

const FILE: Attributes = { mode: 0o644, uid: 0, gid: 0, modifiedSeconds: 0 };
const PROGRAM: Attributes = { ...FILE, mode: 0o755 };

/**
 * A root directory with packages unpacked, and noted as such for dpkg. Their scripts have not run, for they are
 * programs of the guest: on its first start it runs `dpkg --configure -a`.
 * @param packages in the order they are unpacked in; `base-files` goes first whatever its place, for it has the
 *   links from `/bin`, `/lib`… to `/usr`
 * @throws HostError `image-damaged`, `image-not-supported`, `image-xz`, and what `download` throws
 */
export async function buildRoot(
  packages: readonly PackageInfo[],
  download: (info: PackageInfo) => Promise<Uint8Array>,
  limits: ImageLimits = IMAGE_LIMITS,
): Promise<DirectoryNode> {
  const root = makeDirectory();
  const status: string[] = [];
  const isBase = ({ name }: PackageInfo): boolean => name === 'base-files';
  const ordered = [...packages.filter(isBase), ...packages.filter((info) => !isBase(info))];
  for (const info of ordered) {
    status.push(unpackDeb(root, await download(info), info, limits));
  }
  const write = (path: string, text: string): void => {
    insert(root, path, { kind: 'file', attributes: FILE, content: utf8ToBytes(text) });
  };
  // The first thing that base-passwd does when it's configured; base-files can't be before there is a root.
  for (const name of ['passwd', 'group']) {
    const master = lookUp(root, `usr/share/base-passwd/${name}.master`);
    if (master && !lookUp(root, `etc/${name}`)) insert(root, `etc/${name}`, master);
  }
  write('var/lib/dpkg/status', status.join('\n'));
  write('var/lib/dpkg/available', '');
  if (!lookUp(root, 'var/lib/dpkg/diversions')) write('var/lib/dpkg/diversions', '');
  if (!lookUp(root, 'var/lib/dpkg/statoverride')) write('var/lib/dpkg/statoverride', '');
  return root;
}

/** @returns the package's paragraph for dpkg's status */
function unpackDeb(
  root: DirectoryNode,
  bytes: Uint8Array,
  { name, version }: PackageInfo,
  limits: ImageLimits,
): string {
  const { control, data } = readDeb(bytes, limits);
  let list = '';
  for (const entry of readTar(data, limits.entriesMax)) {
    insertEntry(root, entry);
    list += `/${splitPath(entry.path).join('/') || '.'}\n`;
  }
  const about = lookUp(control, 'control');
  const text = about?.kind === 'file' ? bytesToUtf8(about.content).trim() : '';
  const [fields] = parseControl(text);
  if (fields?.get('package') !== name || fields.get('version') !== version) {
    throw new HostError('image-damaged', `the file of ${name} ${version} is another package`);
  }
  // Where a package may be there for two architectures, its files are named by both.
  const isSame = fields.get('multi-arch') === 'same';
  const stem = isSame ? `${name}:${fields.get('architecture') ?? ''}` : name;
  const info = `var/lib/dpkg/info/${stem}`;
  for (const [path, node] of walk(control)) {
    if (node.kind !== 'file' || path === 'control' || path.includes('/')) continue;
    const isScript = /^(pre|post)(inst|rm)$|^config$/.test(path);
    insert(root, `${info}.${path}`, { ...node, attributes: isScript ? PROGRAM : FILE });
  }
  const content = latin1ToBytes(list);
  insert(root, `${info}.list`, { kind: 'file', attributes: FILE, content });
  const status = statusLine(fields, control);
  return `${text.replace(/^Package:.*$/m, (line) => `${line}\n${status}`)}\n`;
}

/** Configuration files are named with their hashes, so that dpkg knows who changed them. */
function statusLine(fields: ReadonlyMap<string, string>, control: DirectoryNode): string {
  const files = lookUp(control, 'conffiles');
  const paths =
    files?.kind === 'file' ? bytesToUtf8(files.content).split('\n').filter(Boolean) : [];
  const conffiles = paths.map((path) => `\n ${path.trim()} newconffile`).join('');
  const status = 'Status: install ok unpacked';
  return paths.length === 0 || fields.has('conffiles')
    ? status
    : `${status}\nConffiles:${conffiles}`;
}

import { HostError } from '@polyvisor/errors/host-error';

/** What a file system keeps about a file beside its content. */
export interface Attributes {
  /** Permissions with set-user-ID, set-group-ID and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970. */
  readonly modifiedSeconds: number;
  /** Extended attributes by their full names. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

export interface DirectoryNode {
  readonly kind: 'directory';
  attributes: Attributes;
  /**
   * By name, which is bytes as characters 0 to 255 (`bytes/latin1`), for Linux does not say that they are text; neither
   * empty nor `.` or `..`, and without a slash.
   */
  readonly children: Map<string, FileNode>;
}

/** A file in two places of a tree is one with two names: a hard link. */
export type FileNode =
  | DirectoryNode
  | { readonly kind: 'file'; readonly attributes: Attributes; content: Uint8Array }
  | { readonly kind: 'symlink'; readonly attributes: Attributes; readonly target: string }
  | {
      readonly kind: 'character' | 'block';
      readonly attributes: Attributes;
      readonly major: number;
      readonly minor: number;
    }
  | { readonly kind: 'fifo' | 'socket'; readonly attributes: Attributes };

export const PATH_BYTES_MAX = 4096;
/** Symbolic links followed on one path. @see Linux, MAXSYMLINKS */
const LINKS_MAX = 40;
const DIRECTORY_ATTRIBUTES: Attributes = { mode: 0o755, uid: 0, gid: 0, modifiedSeconds: 0 };

export function makeDirectory(attributes: Attributes = DIRECTORY_ATTRIBUTES): DirectoryNode {
  return { kind: 'directory', attributes, children: new Map() };
}

/**
 * The parts of a path in a tree, from its root; `.` and empty parts say nothing.
 * @throws HostError `image-damaged` for one that leaves the tree or is longer than a path can be
 */
export function splitPath(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const isTooLong = path.length > PATH_BYTES_MAX;
  if (isTooLong || parts.some((part) => !isName(part))) {
    throw new HostError('image-damaged', `'${path.slice(0, 200)}' is no path of a file`);
  }
  return parts;
}

export function isName(name: string): boolean {
  const isSpecial = name === '' || name === '.' || name === '..';
  return !isSpecial && /^[^/\0\u0100-\uffff]{1,255}$/.test(name);
}

/** What is at a path, with links followed on the way there, not at its end; undefined when nothing is. */
export function lookUp(root: DirectoryNode, path: string): FileNode | undefined {
  const parts = splitPath(path);
  const name = parts.pop();
  if (name === undefined) return root;
  return directoryAt(root, parts, false)?.children.get(name);
}

/**
 * Puts a node at a path, with the directories on the way there. What was there goes, but for a directory over a
 * directory, of which only the attributes change, and a directory over a link to one, which stays: that is how
 * packages put files below `/lib` where it is a link to `/usr/lib`.
 * @throws HostError `image-damaged` when something else than a directory is on the way
 */
export function insert(root: DirectoryNode, path: string, node: FileNode): void {
  const parts = splitPath(path);
  const name = parts.pop();
  if (name === undefined) {
    if (node.kind === 'directory') root.attributes = node.attributes;
    return;
  }
  const parent = directoryAt(root, parts, true)!;
  const before = parent.children.get(name);
  if (node.kind === 'directory') {
    if (before?.kind === 'directory') {
      before.attributes = node.attributes;
      return;
    }
    if (before?.kind === 'symlink' && directoryAt(root, [...parts, name], false)) return;
  }
  parent.children.set(name, node);
}

/** Takes away what is at a path, if something is. */
export function remove(root: DirectoryNode, path: string): void {
  const parts = splitPath(path);
  const name = parts.pop();
  if (name !== undefined) directoryAt(root, parts, false)?.children.delete(name);
}

/**
 * The directory at a path, with links followed inside the tree only: `..` of the root is the root.
 * @param isMaking makes what isn't there
 */
function directoryAt(
  root: DirectoryNode,
  path: readonly string[],
  isMaking: boolean,
): DirectoryNode | undefined {
  let links = 0;
  let trail: DirectoryNode[] = [root];
  const rest = path.toReversed();
  while (rest.length > 0) {
    const part = rest.pop()!;
    const directory = trail.at(-1)!;
    if (part === '..') {
      if (trail.length > 1) trail.pop();
      continue;
    }
    const node = directory.children.get(part);
    if (node?.kind === 'directory') trail.push(node);
    else if (node?.kind === 'symlink') {
      if (++links > LINKS_MAX) {
        throw new HostError('image-damaged', `too many links on the way to '${path.join('/')}'`);
      }
      if (node.target.startsWith('/')) trail = [root];
      const parts = node.target.split('/').filter((each) => each !== '' && each !== '.');
      rest.push(...parts.toReversed());
    } else if (!isMaking) return undefined;
    else if (node || !isName(part)) {
      throw new HostError('image-damaged', `'${part}' in '${path.join('/')}' is no directory`);
    } else {
      const made = makeDirectory();
      directory.children.set(part, made);
      trail.push(made);
    }
  }
  return trail.at(-1);
}

/** All nodes with their paths, without a slash in front; a directory before what is in it, names in order. */
export function* walk(
  root: DirectoryNode,
  prefix = '',
): Generator<readonly [path: string, node: FileNode]> {
  const names = [...root.children.keys()].toSorted();
  for (const name of names) {
    const node = root.children.get(name)!;
    yield [prefix + name, node];
    if (node.kind === 'directory') yield* walk(node, `${prefix}${name}/`);
  }
}

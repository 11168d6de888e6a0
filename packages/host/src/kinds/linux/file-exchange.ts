import { FileFault, MODE_FILE } from '@polyvisor/board/fuse/file-tree';
import type { FileTree } from '@polyvisor/board/fuse/file-tree';
import { HostError } from '@polyvisor/errors/host-error';
import { quote } from './shell-script.ts';

/** What the guest mounts it by. */
export const EXCHANGE_TAG = 'polyvisor-exchange';
/** Bytes of all files on their way. */
export const EXCHANGE_BYTES_MAX = 2 ** 28;
/** Where, below which each command has a place of its own. */
const DIRECTORY = '/run/polyvisor/exchange';
/** What a script ends with where the guest's kernel has no virtio-fs. */
export const NO_EXCHANGE_STATUS = 213;

/**
 * A script that runs with the exchange mounted: `work` finds it in `$x`, and its status is the script's.
 * @param name of a file in it, which nothing else has
 */
export function exchangeScript(name: string, work: string): string {
  const place = `${DIRECTORY}/${name}`;
  return [
    `x=${place}`,
    `mkdir -p $x && mount -t virtiofs ${EXCHANGE_TAG} $x || exit ${NO_EXCHANGE_STATUS}`,
    work,
    's=$?',
    // What still runs keeps what it has open.
    'umount -l $x && rmdir $x',
    'exit $s',
  ].join('\n');
}

/** What `work` says for the file in the exchange. */
export function exchangeFile(name: string): string {
  return `$x/${quote(name)}`;
}

/** Puts a file in for the guest. @throws HostError `exchange-full` */
export function putFile(tree: FileTree, name: string, content: Uint8Array): void {
  const what = { mode: MODE_FILE | 0o600, userId: 0, groupId: 0, content };
  try {
    tree.create(tree.root, name, what);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    const message = `there is no room for ${content.length} bytes on their way to the guest`;
    throw new HostError('exchange-full', message, `at most ${EXCHANGE_BYTES_MAX} may be`);
  }
}

/** Takes a file out that the guest put in; undefined where it did not. */
export function takeFile(tree: FileTree, name: string): Uint8Array | undefined {
  try {
    const node = tree.lookup(tree.root, name);
    const content = new Uint8Array(tree.attributes(node).size);
    tree.read(node, 0, content);
    tree.remove(tree.root, name, false);
    return content;
  } catch (error) {
    if (error instanceof FileFault) return undefined;
    throw error;
  }
}

import { HostError } from '@polyvisor/errors/host-error';
import { readCpio } from '../archive/cpio.ts';
import { writeTar } from '../archive/tar.ts';
import { unpackTar } from '../archive/unpack.ts';
import { type DirectoryNode, type FileNode, lookUp, makeDirectory } from '../file-tree.ts';
import { GUEST_BUSYBOX, GUEST_INIT, GUEST_MODULES, addGuestFiles } from '../guest/guest-files.ts';
import type { GuestModules } from '../guest/kernel-modules.ts';
import { type NewImage, type StoredImage, readImageFile } from '../image-store.ts';
import { IMAGE_LIMITS } from '../limits.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import { CONSOLE_ARGUMENTS } from './micro-image.ts';

/** What a root directory boots with: of an image in the store, or from a mirror. */
export interface GuestParts {
  readonly kernel: Uint8Array;
  readonly busybox: Uint8Array;
  readonly modules: GuestModules;
}

/** The tag by which the kernel finds the root directory. */
export const ROOT_TAG = 'polyvisor';
/** Its init is ours, and a network card stays `eth0`, whose address our init has asked for. */
export const ROOT_ARGUMENTS: string = [
  CONSOLE_ARGUMENTS,
  `root=${ROOT_TAG} rootfstype=virtiofs rw`,
  `init=/${GUEST_INIT}`,
  'net.ifnames=0',
].join(' ');

/**
 * An image of a root directory that comes from elsewhere, with our init and agent beside what it
 * has. What a container's configuration says of its environment holds for commands; its entry point
 * is not run.
 * @param from an image that polyvisor made, for its kernel and tools
 * @param source where the root directory comes from, for people
 * @throws HostError `image-not-supported` for an image without what is needed, `image-damaged`
 */
export function imageFromRoot(
  root: DirectoryNode,
  config: ImageConfig | undefined,
  from: StoredImage,
  source: string,
): NewImage {
  const { kernel, busybox, modules } = readGuestParts(from);
  addGuestFiles(root, {
    busybox,
    modules,
    ...(config ? { environment: config.env } : {}),
    ...(config && config.workingDirectory !== ''
      ? { workingDirectory: config.workingDirectory }
      : {}),
  });
  return {
    kernel,
    root: writeTar(root),
    commandLine: ROOT_ARGUMENTS,
    hasAgent: true,
    source: `${source}, kernel of ${from.name}`,
  };
}

/** @throws HostError `image-not-supported` where an image was made without them, `image-damaged` */
export function readGuestParts(image: StoredImage): GuestParts {
  const tree = readFirstRoot(image);
  const busybox = lookUp(tree, GUEST_BUSYBOX);
  if (busybox?.kind !== 'file') {
    throw new HostError(
      'image-not-supported',
      `image ${image.name} has no tools for another guest`,
      'take an image that polyvisor made: polyvisor images pull linux',
    );
  }
  return {
    kernel: readImageFile(image, 'kernel'),
    busybox: busybox.content,
    modules: readModules(lookUp(tree, GUEST_MODULES)),
  };
}

function readFirstRoot(image: StoredImage): DirectoryNode {
  if (image.initrd !== undefined) {
    return readCpio(readImageFile(image, 'initrd'), IMAGE_LIMITS.entriesMax);
  }
  const root = makeDirectory();
  if (image.root !== undefined) {
    unpackTar(root, readImageFile(image, 'root'), IMAGE_LIMITS.entriesMax);
  }
  return root;
}

/** As `addGuestFiles` put them there. */
function readModules(folder: FileNode | undefined): GuestModules {
  const found = folder?.kind === 'directory' ? [...folder.children] : [];
  return new Map(
    found.map(([purpose, list]) => {
      const files = list.kind === 'directory' ? [...list.children].toSorted() : [];
      const modules = files.flatMap(([file, node]) => {
        const name = /^\d+-(.+)\.ko$/.exec(file)?.[1];
        return name !== undefined && node.kind === 'file' ? [{ name, content: node.content }] : [];
      });
      return [purpose, modules];
    }),
  );
}

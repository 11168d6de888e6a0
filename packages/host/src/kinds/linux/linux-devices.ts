import { MemoryTree } from '@polyvisor/board/fuse/memory-tree';
import { VirtioBlock } from '@polyvisor/board/virtio/block';
import { VirtioConsole } from '@polyvisor/board/virtio/console';
import type { VirtioDevice } from '@polyvisor/board/virtio/device';
import { VirtioFs } from '@polyvisor/board/virtio/fs';
import { VirtioNet } from '@polyvisor/board/virtio/net';
import { VirtioRng } from '@polyvisor/board/virtio/rng';
import { MemoryOverlay } from '@polyvisor/disk/memory-overlay';
import { EXCHANGE_TAG } from './file-exchange.ts';

/** What the guest mounts its root by: `root=polyvisor rootfstype=virtiofs`. */
export const ROOT_TAG = 'polyvisor';

/** What of a computer's outside belongs to its state. Values of it are not changed: machines take forks. */
export interface Media {
  readonly disks: readonly MemoryOverlay[];
  readonly root: MemoryTree | undefined;
  /** Files on their way in or out. */
  readonly exchange: MemoryTree;
}

/** Devices of one computer, in the order of their slots, which a saved state relies on. */
export interface LinuxDevices {
  readonly all: readonly VirtioDevice[];
  readonly agent: VirtioConsole;
  readonly entropy: VirtioRng;
  readonly media: Media;
}

/** Own copies of the media, which share what neither side has changed. */
export function forkMedia({ disks, root, exchange }: Media): Media {
  return {
    disks: disks.map((disk) => disk.fork()),
    root: root?.fork(),
    exchange: exchange.fork(),
  };
}

export function makeDevices(
  media: Media,
  card: VirtioNet | undefined,
  onAgentOutput: (bytes: Uint8Array) => void,
): LinuxDevices {
  const agent = new VirtioConsole({ transmit: onAgentOutput });
  const entropy = new VirtioRng();
  const exchange = new VirtioFs({ tag: EXCHANGE_TAG, tree: media.exchange });
  const all: VirtioDevice[] = [agent, entropy, exchange];
  if (card) all.push(card);
  if (media.root) all.push(new VirtioFs({ tag: ROOT_TAG, tree: media.root }));
  for (const disk of media.disks) all.push(new VirtioBlock({ disk }));
  return { all, agent, entropy, media };
}

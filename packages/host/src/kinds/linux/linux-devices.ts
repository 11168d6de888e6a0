import { MemoryTree } from '@polyvisor/board/fuse/memory-tree';
import { VirtioBlock } from '@polyvisor/board/virtio/block';
import { VirtioConsole } from '@polyvisor/board/virtio/console';
import type { VirtioDevice } from '@polyvisor/board/virtio/device';
import { type FsOptions, VirtioFs } from '@polyvisor/board/virtio/fs';
import { VirtioNet } from '@polyvisor/board/virtio/net';
import { VirtioRng } from '@polyvisor/board/virtio/rng';
import type { BlockDevice } from '@polyvisor/disk/block-device';
import { EXCHANGE_TAG } from './file-exchange.ts';

/** What the guest mounts its root by: `root=polyvisor rootfstype=virtiofs`. */
export const ROOT_TAG = 'polyvisor';

/** Files of a computer that belong to its state. Values of it are not changed: machines take forks. */
export interface Media {
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
export function forkMedia({ root, exchange }: Media): Media {
  return {
    root: root?.fork(),
    exchange: exchange.fork(),
  };
}

export function makeDevices(
  media: Media,
  disks: readonly BlockDevice[],
  shares: readonly FsOptions[],
  card: VirtioNet | undefined,
  onAgentOutput: (bytes: Uint8Array) => void,
): LinuxDevices {
  const agent = new VirtioConsole({ transmit: onAgentOutput });
  const entropy = new VirtioRng();
  const exchange = new VirtioFs({ tag: EXCHANGE_TAG, tree: media.exchange });
  const all: VirtioDevice[] = [agent, entropy, exchange];
  if (card) all.push(card);
  if (media.root) all.push(new VirtioFs({ tag: ROOT_TAG, tree: media.root }));
  for (const disk of disks) all.push(new VirtioBlock({ disk }));
  for (const share of shares) all.push(new VirtioFs(share));
  return { all, agent, entropy, media };
}

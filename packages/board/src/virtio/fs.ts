import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import { HostError } from '@polyvisor/errors/host-error';
import type { FileTree } from '../fuse/file-tree.ts';
import { FuseServer, REQUEST_BYTES_MAX } from '../fuse/server.ts';
import type { StateReader, StateWriter } from '../state.ts';
import type { DescriptorChain } from './chain.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { QUEUE_SIZE_MAX } from './queue.ts';
import { serveQueue } from './serve.ts';

/** @see VIRTIO 1.2, section 5.11, "File System Device" */
export const TAG_BYTES_MAX = 36;

export interface FsOptions {
  /** The name that the guest mounts it by. */
  readonly tag: string;
  readonly tree: FileTree;
}

/**
 * A tree of files: `mount -t virtiofs <tag> /mnt`, or the root with `root=<tag>
 * rootfstype=virtiofs`.
 */
export class VirtioFs implements VirtioDevice {
  readonly deviceId = 26;
  readonly features = 0n;
  /** Requests that may overtake, and the others. */
  readonly queueSizes = [64, QUEUE_SIZE_MAX];
  readonly config = new Uint8Array(TAG_BYTES_MAX + 4);
  readonly #server: FuseServer;
  #port: VirtioPort | undefined;

  constructor({ tag, tree }: FsOptions) {
    const bytes = utf8ToBytes(tag);
    if (bytes.length === 0 || bytes.length > TAG_BYTES_MAX) {
      throw new HostError('fs-tag', `a tag of ${bytes.length} bytes`, 'give 1 to 36 bytes');
    }
    this.#server = new FuseServer(tree);
    this.config.set(bytes);
    this.config[TAG_BYTES_MAX] = 1;
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
    this.#server.reset();
  }

  notify(index: number): void {
    serveQueue(this.#port!, index, (chain) => this.#serve(chain));
  }

  saveState(out: StateWriter): void {
    this.#server.saveState(out);
  }

  loadState(from: StateReader): void {
    this.#server.loadState(from);
  }

  /** A request that no kernel makes, for it is too long, comes back unanswered. */
  #serve(chain: DescriptorChain): void {
    if (chain.readableBytes > REQUEST_BYTES_MAX) return;
    const answer = this.#server.serve(chain.read(chain.readableBytes), chain.writableBytes);
    if (answer) chain.write(answer);
  }
}

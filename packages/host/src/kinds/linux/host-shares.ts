import type { FsOptions } from '@polyvisor/board/virtio/fs';
import { HostTree } from './host-tree.ts';
import type { ResolvedShare } from './linux-types.ts';

/** The folders of the host that one computer has, opened anew for each of its boots. */
export class HostShares implements Disposable {
  readonly #shares: readonly ResolvedShare[];
  #trees: readonly HostTree[] = [];

  constructor(shares: readonly ResolvedShare[]) {
    this.#shares = shares;
  }

  get count(): number {
    return this.#shares.length;
  }

  /** What was opened before is closed. @throws HostError `share-folder` */
  open(): readonly FsOptions[] {
    using opened = new DisposableStack();
    const trees = this.#shares.map(({ path, readOnly }) =>
      opened.use(new HostTree(path, { isReadOnly: readOnly })),
    );
    opened.move();
    this[Symbol.dispose]();
    this.#trees = trees;
    return trees.map((tree, index) => ({ tag: this.#shares[index]!.tag, tree }));
  }

  [Symbol.dispose](): void {
    for (const tree of this.#trees) tree[Symbol.dispose]();
    this.#trees = [];
  }
}

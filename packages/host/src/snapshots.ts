import { HostError } from '@polyvisor/errors/host-error';

/**
 * The snapshots of one guest: a tree, because a restored guest can go another way. Taking one keeps a handle of the
 * guest's immutable state: O(1), whatever its size. `State` is that handle.
 */
export class SnapshotTree<State> {
  readonly #nodes = new Map<string, Node<State>>();
  readonly #snapshotsMax: number;
  #currentId: string | undefined;
  #nextNumber = 1;

  constructor(limits: { readonly snapshotsMax?: number } = {}) {
    this.#snapshotsMax = limits.snapshotsMax ?? SNAPSHOTS_MAX;
  }

  /** The snapshot that the guest's present state grew from; undefined: its first state. */
  get currentId(): string | undefined {
    return this.#currentId;
  }

  /** Oldest first. */
  list(): readonly Snapshot[] {
    return [...this.#nodes.values()].map((node) => node.snapshot);
  }

  /** @throws HostError `snapshot-name-taken`, `snapshots-full` */
  take(state: State, facts: SnapshotFacts): Snapshot {
    const { name } = facts;
    if (this.#nodes.size >= this.#snapshotsMax) {
      throw new HostError(
        'snapshots-full',
        `the guest has ${this.#snapshotsMax} snapshots, which is the limit`,
        'delete some, or raise snapshotsMax',
      );
    }
    if (name !== undefined && this.#find(name) !== undefined) {
      throw new HostError('snapshot-name-taken', `there is a snapshot '${name}' already`);
    }
    const id = `s${this.#nextNumber++}`;
    const snapshot: Snapshot = { id, parent: this.#currentId, ...facts };
    this.#nodes.set(id, { snapshot, load: () => state });
    this.#currentId = id;
    return snapshot;
  }

  /** A snapshot by id or name. @throws HostError `no-snapshot` */
  get(idOrName: string): Snapshot {
    return this.#node(idOrName).snapshot;
  }

  /** Its state; one kept in a database is read at the first call. @throws HostError `no-snapshot` */
  state(idOrName: string): State {
    const node = this.#node(idOrName);
    const state = node.load();
    node.load = () => state;
    return state;
  }

  /** What the guest does from now on grows from this snapshot. @throws HostError `no-snapshot` */
  moveTo(idOrName: string): Snapshot {
    const { snapshot } = this.#node(idOrName);
    this.#currentId = snapshot.id;
    return snapshot;
  }

  /**
   * Forgets a snapshot; its children become its parent's.
   * @returns the snapshot and the children it had
   * @throws HostError `no-snapshot`
   */
  remove(idOrName: string): { readonly removed: Snapshot; readonly children: readonly Snapshot[] } {
    const { snapshot: removed } = this.#node(idOrName);
    this.#nodes.delete(removed.id);
    const children: Snapshot[] = [];
    for (const node of this.#nodes.values()) {
      if (node.snapshot.parent !== removed.id) continue;
      node.snapshot = { ...node.snapshot, parent: removed.parent };
      children.push(node.snapshot);
    }
    if (this.#currentId === removed.id) this.#currentId = removed.parent;
    return { removed, children };
  }

  /** Puts back a snapshot that a database kept; parents before children. `load` gives its state when asked for. */
  adopt(snapshot: Snapshot, load: () => State): void {
    this.#nodes.set(snapshot.id, { snapshot, load });
    this.#nextNumber = Math.max(this.#nextNumber, Number(snapshot.id.slice(1)) + 1);
  }

  /** Where the guest was when the database last wrote. */
  adoptCurrent(id: string | undefined): void {
    this.#currentId = id;
  }

  #node(idOrName: string): Node<State> {
    const node = this.#find(idOrName);
    if (node !== undefined) return node;
    const known = this.list().map(({ id, name }) => name ?? id);
    throw new HostError(
      'no-snapshot',
      `there is no snapshot '${idOrName}'`,
      known.length === 0 ? 'the guest has none' : `it has ${known.slice(-10).join(', ')}`,
    );
  }

  #find(idOrName: string): Node<State> | undefined {
    const byId = this.#nodes.get(idOrName);
    if (byId !== undefined) return byId;
    for (const node of this.#nodes.values()) if (node.snapshot.name === idOrName) return node;
    return undefined;
  }
}

export interface SnapshotFacts {
  readonly name: string | undefined;
  /** Unix milliseconds. */
  readonly takenAtMs: number;
  /** Where the guest was, in its own terms: the height of a chain. */
  readonly head: string;
}

export interface Snapshot extends SnapshotFacts {
  /** `s1`, `s2`, … in the order taken; never given twice. */
  readonly id: string;
  readonly parent: string | undefined;
}

interface Node<State> {
  snapshot: Snapshot;
  load: () => State;
}

const SNAPSHOTS_MAX = 10_000;

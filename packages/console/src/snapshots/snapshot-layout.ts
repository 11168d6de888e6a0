import type { SnapshotView } from '@polyvisor/host/control/views';

/** The tree as lanes: a row a snapshot, oldest on top, each branch in a column of its own. */
export interface SnapshotLayout {
  readonly rows: readonly SnapshotRow[];
  readonly lines: readonly SnapshotLine[];
  /** Lanes in use, at least 1 when there is a row. */
  readonly laneCount: number;
}

export interface SnapshotRow {
  readonly snapshot: SnapshotView;
  readonly lane: number;
}

/** From a snapshot down to one that grew from it. */
export interface SnapshotLine {
  readonly fromRow: number;
  readonly fromLane: number;
  readonly toRow: number;
  readonly toLane: number;
}

/**
 * A snapshot's first child goes on in its lane, the others branch off to the right, into the
 * nearest lane that is free from the parent's row to the branch's end. O(n · lanes).
 * @param snapshots parents before children, as the API lists them
 */
export function layoutSnapshots(snapshots: readonly SnapshotView[]): SnapshotLayout {
  const rowOf = new Map(snapshots.map(({ id }, row) => [id, row]));
  const branchEnd = branchEnds(snapshots, rowOf);
  const laneOf: number[] = [];
  const hasChild = new Set<string>();
  /** Row from which on each lane is free. */
  const freeFrom: number[] = [];
  const lines: SnapshotLine[] = [];
  const rows = snapshots.map((snapshot, row): SnapshotRow => {
    const { parent } = snapshot;
    const parentRow = parent === undefined ? undefined : rowOf.get(parent);
    const goesOn = parent !== undefined && parentRow !== undefined && !hasChild.has(parent);
    const parentLane = parentRow === undefined ? 0 : (laneOf[parentRow] ?? 0);
    const lane = goesOn ? parentLane : freeLane(freeFrom, parentLane, parentRow ?? row);
    if (!goesOn) freeFrom[lane] = (branchEnd[row] ?? row) + 1;
    if (parent !== undefined) hasChild.add(parent);
    laneOf[row] = lane;
    if (parentRow !== undefined) {
      lines.push({ fromRow: parentRow, fromLane: parentLane, toRow: row, toLane: lane });
    }
    return { snapshot, lane };
  });
  return { rows, lines, laneCount: freeFrom.length };
}

/** For each row, the last row of the branch that goes on through first children. */
function branchEnds(
  snapshots: readonly SnapshotView[],
  rowOf: ReadonlyMap<string, number>,
): readonly number[] {
  const firstChild = new Map<number, number>();
  snapshots.forEach(({ parent }, row) => {
    const parentRow = parent === undefined ? undefined : rowOf.get(parent);
    if (parentRow !== undefined && !firstChild.has(parentRow)) firstChild.set(parentRow, row);
  });
  const ends = snapshots.map((_, row) => row);
  for (let row = snapshots.length - 1; row >= 0; row--) {
    const child = firstChild.get(row);
    if (child !== undefined) ends[row] = ends[child] ?? child;
  }
  return ends;
}

function freeLane(freeFrom: readonly number[], leastLane: number, row: number): number {
  let lane = leastLane;
  while ((freeFrom[lane] ?? 0) > row) lane++;
  return lane;
}

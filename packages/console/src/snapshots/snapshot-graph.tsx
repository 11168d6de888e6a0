import type { JSX } from 'preact';
import type { SnapshotLayout, SnapshotLine } from './snapshot-layout.ts';

/** The lanes of the tree, drawn beside the rows of the list. Its rows are as high as theirs. */
export function SnapshotGraph({ layout }: { layout: SnapshotLayout }): JSX.Element {
  const width = layout.laneCount * LANE_WIDTH + LANE_WIDTH / 2;
  const height = layout.rows.length * ROW_HEIGHT;
  return (
    <svg
      class="snapshot-graph"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label="Which snapshot grew from which"
    >
      {layout.lines.map((line) => (
        <path key={line.toRow} d={curve(line)} />
      ))}
      {layout.rows.map(({ snapshot, lane }, row) => (
        <circle
          key={snapshot.id}
          class={snapshot.isCurrent ? 'current' : undefined}
          cx={x(lane)}
          cy={y(row)}
          r={snapshot.isCurrent ? 7 : 5}
        />
      ))}
    </svg>
  );
}

/** Straight down in one lane; else it bends into the other lane within a row, then goes down. */
function curve({ fromRow, fromLane, toRow, toLane }: SnapshotLine): string {
  const from = x(fromLane);
  const to = x(toLane);
  const top = y(fromRow);
  const middle = top + ROW_HEIGHT / 2;
  const bend =
    fromLane === toLane ? '' : `C${from} ${middle} ${to} ${middle} ${to} ${y(fromRow + 1)}`;
  return `M${from} ${top}${bend}V${y(toRow)}`;
}

function x(lane: number): number {
  return LANE_WIDTH / 2 + 4 + lane * LANE_WIDTH;
}

function y(row: number): number {
  return (row + 0.5) * ROW_HEIGHT;
}

const LANE_WIDTH = 22;

/** The stylesheet's `--snapshot-row`. */
const ROW_HEIGHT = 52;

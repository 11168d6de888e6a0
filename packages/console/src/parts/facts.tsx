import { Fragment } from 'preact';
import type { ComponentChildren, JSX } from 'preact';

export type FactRow = readonly [name: string, value: ComponentChildren];

/** Names and values below each other; rows without a value are left out. */
export function Facts({ rows }: { rows: readonly FactRow[] }): JSX.Element {
  return (
    <dl class="facts">
      {rows.map(([name, value]) =>
        value === undefined ? null : (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ),
      )}
    </dl>
  );
}

import type { ComponentChildren, JSX } from 'preact';

/** Nothing here yet, and what to do so that there is. */
export function EmptyState(props: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      {props.children}
    </div>
  );
}

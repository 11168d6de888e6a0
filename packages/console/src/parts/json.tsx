import type { JSX } from 'preact';

/** A value as JSON, for reading. */
export function Json({ value, label }: { value: unknown; label: string }): JSX.Element {
  return (
    <pre class="json" tabIndex={0} aria-label={label}>
      {JSON.stringify(value, null, 2) ?? 'none'}
    </pre>
  );
}

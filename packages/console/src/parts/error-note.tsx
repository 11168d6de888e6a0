import type { JSX } from 'preact';
import type { ApiError } from '../api.ts';

/** What went wrong, in the API's own words, and what to do about it. */
export function ErrorNote({ error }: { error: ApiError | undefined }): JSX.Element | null {
  if (error === undefined) return null;
  return (
    <div class="note note-bad" role="alert">
      <strong>{error.message}</strong>
      {error.hint !== undefined && <span>{error.hint}</span>}
      <code class="faint">{error.code}</code>
    </div>
  );
}

import type { JSX } from 'preact';

/** How much of a whole, for the eye: the number stands beside it. @param share from 0 to 1 */
export function Bar({ share }: { share: number }): JSX.Element {
  return (
    <span class="share" aria-hidden="true">
      <span style={{ width: share === 0 ? '0' : `max(2px, ${share * 100}%)` }} />
    </span>
  );
}

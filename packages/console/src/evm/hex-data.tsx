import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatCount } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';

/** Bytes as hex, the first of them until asked for more. */
export function HexData({ data, label }: { data: string; label: string }): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const bytes = (data.length - 2) / 2;
  if (bytes <= 0) return <span class="faint">empty</span>;
  const isCut = !isWhole && bytes > BYTES_SHOWN;
  return (
    <div class="hex">
      <code class="break">{isCut ? `${data.slice(0, 2 + 2 * BYTES_SHOWN)}…` : data}</code>
      <div class="buttons">
        <span class="faint">{formatCount(bytes)} bytes</span>
        {isCut && (
          <button type="button" class="quiet" onClick={() => setWhole(true)}>
            show all
          </button>
        )}
        <CopyButton class="quiet" text={data} label={label}>
          copy
        </CopyButton>
      </div>
    </div>
  );
}

const BYTES_SHOWN = 256;

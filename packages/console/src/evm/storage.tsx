import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole } from '../context.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { useQuery } from '../use-query.ts';
import { ethClient } from './eth-client.ts';
import { readSlot } from './slot.ts';

interface StorageOf {
  readonly guest: string;
  readonly address: string;
  /** Changes when the storage may have. */
  readonly version: string;
}

/** Reads the slot that a person names. */
export function StorageReader({ guest, address, version }: StorageOf): JSX.Element {
  const { api } = useConsole();
  const [text, setText] = useState('0');
  const slot = readSlot(text);
  const query = useQuery(
    `${guest} ${address} ${slot ?? ''}`,
    async (signal) =>
      slot === undefined ? undefined : ethClient(api, guest, signal).storageAt(address, slot),
    version,
  );
  return (
    <div class="bar slot">
      <label>
        slot{' '}
        <input
          value={text}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={slot === undefined}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {slot === undefined && <span class="bad">a number, or hex of at most 32 bytes</span>}
      {query.value !== undefined && <CopyButton text={query.value} label="value" />}
      <ErrorNote error={query.error} />
    </div>
  );
}

/** All slots that are not zero, page after page, where the chain can list them. */
export function StorageList({ guest, address, version }: StorageOf): JSX.Element | null {
  const { api } = useConsole();
  const [starts, setStarts] = useState<readonly string[]>([FIRST]);
  const start = starts.at(-1) ?? FIRST;
  const [isSupported, setSupported] = useState(true);
  const query = useQuery(
    `${guest} ${address} ${start}`,
    async (signal) => {
      if (!isSupported) return undefined;
      const found = await ethClient(api, guest, signal).storageRange(address, start, SLOTS_A_PAGE);
      if (found === undefined) setSupported(false);
      return found;
    },
    version,
  );
  const range = query.value;
  if (query.error !== undefined) return <ErrorNote error={query.error} />;
  if (range === undefined) return null;
  const entries = Object.entries(range.storage);
  if (entries.length === 0) return <EmptyState title="All slots are zero" />;
  const { nextKey } = range;
  return (
    <>
      <div class="scroll-x">
        <table>
          <thead>
            <tr>
              <th>Slot</th>
              <th>Value</th>
            </tr>
          </thead>
          <tbody>
            {entries.map(([hash, { key, value }]) => (
              <tr key={hash}>
                <td class="mono break">{key ?? <span class="faint">hash {hash}</span>}</td>
                <td class="mono break">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(starts.length > 1 || nextKey !== null) && (
        <nav class="pager" aria-label="Pages of storage">
          <button
            type="button"
            disabled={starts.length === 1}
            onClick={() => setStarts(starts.slice(0, -1))}
          >
            Before
          </button>
          <button
            type="button"
            disabled={nextKey === null}
            onClick={() => nextKey !== null && setStarts([...starts, nextKey])}
          >
            Next
          </button>
        </nav>
      )}
    </>
  );
}

const FIRST = `0x${'00'.repeat(32)}`;
const SLOTS_A_PAGE = 50;

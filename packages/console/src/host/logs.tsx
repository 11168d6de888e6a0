import type { LogLevel, LogRecord } from '@polyvisor/host/log-book';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { formatClock } from '../format.ts';
import { asApiError } from '../live.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { useStore } from '../store.ts';

/** The host's log as it is written, newest first. */
export function Logs(): JSX.Element {
  const { records, error } = useLogs();
  const [least, setLeast] = useState<LogLevel>('info');
  const [words, setWords] = useState('');
  const name = useGuestNames();
  const shown = records.filter(
    ({ level, message }) =>
      LEVELS.indexOf(level) >= LEVELS.indexOf(least) &&
      message.toLowerCase().includes(words.toLowerCase()),
  );
  return (
    <section class="panel" aria-label="Log">
      <div class="section-head">
        <h2>Log</h2>
        <div class="bar">
          <input
            type="search"
            placeholder="Filter"
            aria-label="Filter log"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <select
            aria-label="Least level"
            value={least}
            onChange={(event) => setLeast(event.currentTarget.value as LogLevel)}
          >
            {LEVELS.map((level) => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </div>
      </div>
      <ErrorNote error={error} />
      {error === undefined && shown.length === 0 && (
        <EmptyState title="Nothing logged at this level" />
      )}
      <ol class="log" tabIndex={0} aria-label="Log records">
        {shown.map((record) => (
          <LogRow record={record} guestName={name(record.guest)} />
        ))}
      </ol>
    </section>
  );
}

function LogRow(props: { record: LogRecord; guestName: string | undefined }): JSX.Element {
  const { time, level, message, guest: _guest, ...fields } = props.record;
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return (
    <li class={`log-${level}`}>
      <span class="faint number">{formatClock(time)}</span>
      <span class="log-level">{level}</span>
      <span>
        {props.guestName !== undefined && <span class="tag">{props.guestName}</span>} {message}{' '}
        <span class="faint">{rest.join(' ')}</span>
      </span>
    </li>
  );
}

/** Names by id; a removed guest keeps its id. */
function useGuestNames(): (id: string | undefined) => string | undefined {
  const { live } = useConsole();
  const { list } = useStore(live.guests);
  return (id) => list?.find((guest) => guest.id === id)?.name ?? id;
}

function useLogs(): { records: readonly LogRecord[]; error: ApiError | undefined } {
  const { api } = useConsole();
  const [records, setRecords] = useState<readonly LogRecord[]>([]);
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    const life = new AbortController();
    const follow = async (): Promise<void> => {
      try {
        for await (const record of api.logs(life.signal)) {
          setRecords((kept) => [record, ...kept].slice(0, RECORDS_SHOWN));
        }
      } catch (failure) {
        if (!life.signal.aborted) setError(asApiError(failure));
      }
    };
    void follow();
    return () => life.abort();
  }, [api]);
  return { records, error };
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const RECORDS_SHOWN = 500;

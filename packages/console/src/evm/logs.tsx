import type { JSX } from 'preact';
import { decodeLog } from './decode-log.ts';
import { HexData } from './hex-data.tsx';
import { AddressLink } from './links.tsx';
import type { RpcLog } from './rpc-types.ts';

/** Events of a transaction: by name where it is known, and always as they are. */
export function Logs(props: { guest: string; logs: readonly RpcLog[] }): JSX.Element | null {
  const { guest, logs } = props;
  if (logs.length === 0) return null;
  return (
    <section aria-label="Logs">
      <h2>
        Logs <span class="faint">({logs.length})</span>
      </h2>
      <ol class="event-logs">
        {logs.map((log) => (
          <li key={log.logIndex} class="panel">
            <Log guest={guest} log={log} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Log({ guest, log }: { guest: string; log: RpcLog }): JSX.Element {
  const decoded = decodeLog(log);
  return (
    <>
      <div class="event-head">
        <span class="faint number">{Number(log.logIndex)}</span>
        <strong>{decoded?.name ?? 'event'}</strong>
        {decoded !== undefined && <span class="tag">{decoded.standard}</span>}
        <span class="faint">by</span>
        <AddressLink guest={guest} address={log.address} />
      </div>
      {decoded !== undefined && (
        <ul class="event-values">
          {decoded.values.map(({ name, type, text }) => (
            <li key={name}>
              <span class="faint">{name}</span>{' '}
              {type === 'address' ? (
                <AddressLink guest={guest} address={text} />
              ) : (
                <span class="number break">{text}</span>
              )}
            </li>
          ))}
        </ul>
      )}
      <details open={decoded === undefined}>
        <summary class="faint">topics and data</summary>
        <ol class="topics" start={0}>
          {log.topics.map((topic) => (
            <li key={topic}>
              <code class="break">{topic}</code>
            </li>
          ))}
        </ol>
        <HexData data={log.data} label="Data" />
      </details>
    </>
  );
}

import type { GuestView, OutcomeView, RequestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { formatClock, formatDuration } from '../format.ts';
import { asApiError } from '../live.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Json } from '../parts/json.tsx';
import { asCurl, asViem } from './request-text.ts';

/** One request: a line, and all of it when opened. */
export function RequestRow(props: { request: RequestView; guest: GuestView }): JSX.Element {
  const { request, guest } = props;
  const [isOpen, setOpen] = useState(false);
  const params = request.params === undefined ? '' : JSON.stringify(request.params);
  return (
    <li class={request.error === undefined ? 'request' : 'request request-bad'}>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="faint number request-time">{formatClock(Date.parse(request.time))}</span>
          <code class="request-method">{request.method}</code>
          <code class="faint clip request-params">{params}</code>
          {request.error !== undefined && <span class="bad clip">{request.error.message}</span>}
          <span class="number request-ms">{formatDuration(request.durationMs)}</span>
        </summary>
        {isOpen && <RequestDetails request={request} guest={guest} />}
      </details>
    </li>
  );
}

function RequestDetails({
  request,
  guest,
}: {
  request: RequestView;
  guest: GuestView;
}): JSX.Element {
  const { api } = useConsole();
  const [outcome, setOutcome] = useState<OutcomeView>();
  const [error, setError] = useState<ApiError>();
  const replay = async (): Promise<void> => {
    setError(undefined);
    try {
      setOutcome(await api.replay(guest.name, request.number));
    } catch (failure) {
      setError(asApiError(failure));
    }
  };
  const url = guest.endpoints.find(({ protocol }) => protocol === 'http')?.url;
  return (
    <div class="request-details">
      <Json value={request.params} label="Parameters" />
      {request.error !== undefined && (
        <p class="bad">
          {request.error.message} <code>{request.error.code}</code>
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={() => void replay()}>
          Replay
        </button>
        <CopyButton class="button" text={asCurl(request, url)} label="as a curl command">
          Copy as curl
        </CopyButton>
        <CopyButton class="button" text={asViem(request, url)} label="as a program with viem">
          Copy as viem
        </CopyButton>
        <span class="faint">
          #{request.number} over {request.transport}
        </span>
      </div>
      <ErrorNote error={error} />
      {outcome !== undefined && (
        <div role="status" class="outcome">
          <p class="faint">{outcome.error === undefined ? 'Answer now' : 'Answer now: an error'}</p>
          <Json value={outcome.error ?? outcome.result} label="Answer" />
        </div>
      )}
    </div>
  );
}

import type { GuestView } from '@polyvisor/host/control/views';
import { transitions } from '@polyvisor/host/guest-state';
import type { GuestStateName, LifeVerb } from '@polyvisor/host/guest-state';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { asApiError } from '../live.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { hrefOf } from '../router.ts';
import { AskFork, AskRemove, AskSnapshot } from './guest-questions.tsx';

/** What can be done to a guest. Verbs that its state does not allow are not offered. */
export function GuestActions({ guest }: { guest: GuestView }): JSX.Element {
  const { api } = useConsole();
  const [error, setError] = useState<ApiError>();
  const [question, setQuestion] = useState<'fork' | 'snapshot' | 'remove'>();
  const move = async (verb: LifeVerb): Promise<void> => {
    setError(undefined);
    try {
      await api.move(guest.name, verb);
    } catch (failure) {
      setError(asApiError(failure));
    }
  };
  const close = (): void => setQuestion(undefined);
  const verbs = (Object.keys(transitions) as LifeVerb[]).filter((verb) => {
    const from: readonly GuestStateName[] = transitions[verb].from;
    return from.includes(guest.state);
  });
  return (
    <>
      <div class="buttons" role="group" aria-label={`Actions on ${guest.name}`}>
        {verbs.map((verb) => (
          <button type="button" key={verb} onClick={() => void move(verb)}>
            {verb}
          </button>
        ))}
        <button type="button" onClick={() => setQuestion('snapshot')}>
          snapshot
        </button>
        <button type="button" onClick={() => setQuestion('fork')}>
          fork
        </button>
        <button type="button" class="danger-quiet" onClick={() => setQuestion('remove')}>
          remove
        </button>
      </div>
      <ErrorNote error={error} />
      {question === 'snapshot' && <AskSnapshot guest={guest.name} close={close} />}
      {question === 'fork' && <AskFork guest={guest.name} close={close} />}
      {question === 'remove' && (
        <AskRemove
          guest={guest.name}
          close={close}
          removed={() => location.assign(hrefOf({ page: 'guests' }))}
        />
      )}
    </>
  );
}

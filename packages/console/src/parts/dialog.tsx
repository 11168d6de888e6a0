import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { asApiError } from '../live.ts';
import { ErrorNote } from './error-note.tsx';

/** A question in front of the page: Enter agrees, Escape leaves; an error keeps it open. */
export function Dialog(props: {
  title: string;
  children?: ComponentChildren;
  verb: string;
  isDanger?: boolean;
  act: (form: FormData) => Promise<unknown>;
  close: () => void;
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => element.current?.showModal(), []);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await props.act(new FormData(event.currentTarget as HTMLFormElement));
      props.close();
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  return (
    <dialog ref={element} aria-label={props.title} onClose={props.close}>
      <form onSubmit={(event) => void submit(event)}>
        <h2>{props.title}</h2>
        {props.children}
        <ErrorNote error={error} />
        <div class="buttons buttons-end">
          <button type="button" onClick={props.close}>
            Cancel
          </button>
          <button class={props.isDanger === true ? 'danger' : 'primary'} disabled={isBusy}>
            {props.verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}

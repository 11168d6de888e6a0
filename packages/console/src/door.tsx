import type { JSX } from 'preact';
import type { ApiError } from './api.ts';
import { ErrorNote } from './parts/error-note.tsx';
import { tokenIn } from './token.ts';

/** What a person sees who came without a token, or with one that the host refused. */
export function Door(props: {
  enter: (token: string) => void;
  refusal: ApiError | undefined;
}): JSX.Element {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const pasted = new FormData(event.currentTarget as HTMLFormElement).get('token');
    const token = tokenIn(typeof pasted === 'string' ? pasted : '');
    if (token !== '') props.enter(token);
  };
  return (
    <main class="door">
      <form class="panel" onSubmit={submit}>
        <h1>Polyvisor</h1>
        <p>
          The host lets in who has its token. It is in the URL that the host printed when it
          started, and it is another one after each start. Open that URL, or paste it here.
        </p>
        <ErrorNote error={props.refusal} />
        <input
          name="token"
          aria-label="URL or token"
          placeholder="http://127.0.0.1:7400/#token=…"
          autocomplete="off"
          spellcheck={false}
        />
        <button class="primary">Enter</button>
      </form>
    </main>
  );
}

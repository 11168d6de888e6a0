import type { JSX } from 'preact';
import { tokenIn } from './token.ts';

/** What a person sees who came without a token. */
export function Door({ enter }: { enter: (token: string) => void }): JSX.Element {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const pasted = new FormData(event.currentTarget as HTMLFormElement).get('token');
    const token = tokenIn(typeof pasted === 'string' ? pasted : '');
    if (token !== '') enter(token);
  };
  return (
    <main class="door">
      <form class="panel" onSubmit={submit}>
        <h1>Polyvisor</h1>
        <p>
          The host lets in who has its token. It is in the URL that the host printed when it
          started, and it is another one after each start. Open that URL, or paste it here.
        </p>
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

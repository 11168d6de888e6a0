import { hardforks } from '@polyvisor/evm/hardfork';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../api.ts';
import { useConsole } from '../context.ts';
import { asApiError } from '../live.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { Field } from '../parts/field.tsx';
import { hrefOf } from '../router.ts';
import { evmFields, fieldErrors, specOf } from './evm-spec.ts';

/** Asks for an EVM chain. The API checks what is written; its words stand by their fields. */
export function CreatePage(): JSX.Element {
  const { api } = useConsole();
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const made = await api.create(specOf(new FormData(event.currentTarget as HTMLFormElement)));
      location.assign(hrefOf({ page: 'overview', guest: made.name }));
    } catch (failure) {
      setError(asApiError(failure));
    }
    setBusy(false);
  };
  const errors = fieldErrors(error?.message ?? '');
  return (
    <>
      <header class="page-head">
        <h1>New EVM guest</h1>
      </header>
      <form class="panel create" noValidate onSubmit={(event) => void submit(event)}>
        <p class="faint">Fields left empty get their defaults.</p>
        <div class="fields">
          {evmFields.map(({ path, label, hint, input, initial }) => (
            <Field key={path} label={label} hint={hint} error={errors.get(path)}>
              {input === 'hardfork' ? (
                <select name={path}>
                  <option value="">the newest</option>
                  {hardforks.toReversed().map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              ) : (
                <input
                  name={path}
                  defaultValue={initial}
                  autocomplete="off"
                  spellcheck={false}
                  aria-invalid={errors.has(path)}
                  inputMode={input === 'number' ? 'decimal' : 'text'}
                />
              )}
            </Field>
          ))}
        </div>
        <ErrorNote error={error} />
        <div class="buttons">
          <button class="primary" disabled={isBusy}>
            Create and start
          </button>
          <a class="button" href={hrefOf({ page: 'guests' })}>
            Cancel
          </a>
        </div>
      </form>
    </>
  );
}

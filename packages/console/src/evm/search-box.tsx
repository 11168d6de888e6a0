import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useConsole } from '../context.ts';
import { asApiError } from '../live.ts';
import { hrefOf } from '../router.ts';
import { ethClient } from './eth-client.ts';
import { findPage, readSearch } from './search.ts';

/** Finds a block, a transaction or an account. The `/` key goes to it from anywhere on the page. */
export function SearchBox({ guest }: { guest: string }): JSX.Element {
  const { api } = useConsole();
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.key !== '/' || target.matches('input, textarea, select')) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const search = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const target = readSearch(input.current?.value ?? '');
    if (target === undefined) return setProblem('a block number, a 32-byte hash or an address');
    try {
      const chain = ethClient(api, guest);
      const isTransaction = async (hash: string): Promise<boolean> =>
        (await chain.transaction(hash)) !== undefined;
      location.assign(hrefOf(await findPage(guest, target, isTransaction)));
      setProblem(undefined);
    } catch (error) {
      setProblem(asApiError(error).message);
    }
  };
  return (
    <form role="search" class="search" onSubmit={(event) => void search(event)}>
      <input
        ref={input}
        type="search"
        aria-label="Search the chain"
        placeholder="Block, hash or address  /"
        spellcheck={false}
        autocomplete="off"
        aria-invalid={problem !== undefined}
        onInput={() => setProblem(undefined)}
      />
      {problem !== undefined && (
        <span class="search-problem" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}

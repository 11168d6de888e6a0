import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Copies a text and says so. Shows `children`, or the text itself. */
export function CopyButton(props: {
  text: string;
  label: string;
  children?: ComponentChildren;
  class?: string;
}): JSX.Element {
  const [outcome, setOutcome] = useState<string>();
  useEffect(() => {
    if (outcome === undefined) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), 1200);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(props.text);
      setOutcome('copied');
    } catch {
      setOutcome('the browser did not let this page copy');
    }
  };
  return (
    <button
      type="button"
      class={`copy ${props.class ?? 'copy-text'}`}
      title={`Copy ${props.label}`}
      aria-label={`Copy ${props.label}`}
      onClick={() => void copy()}
    >
      {props.children ?? props.text}
      <span class="copied" role="status">
        {outcome}
      </span>
    </button>
  );
}

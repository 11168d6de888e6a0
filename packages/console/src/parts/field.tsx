import type { ComponentChildren, JSX } from 'preact';

/** A form's field: its name, what may be in it, and what the API said about it. */
export function Field(props: {
  label: string;
  hint?: string;
  error?: string | undefined;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <label class={props.error === undefined ? 'field' : 'field field-bad'}>
      <span class="field-label">{props.label}</span>
      {props.children}
      {props.error !== undefined && <span class="field-error">{props.error}</span>}
      {props.error === undefined && props.hint !== undefined && (
        <span class="field-hint">{props.hint}</span>
      )}
    </label>
  );
}

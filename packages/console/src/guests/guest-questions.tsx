import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { hrefOf } from '../router.ts';

export function AskSnapshot({ guest, close }: { guest: string; close: () => void }): JSX.Element {
  const { api } = useConsole();
  return (
    <Dialog
      title={`Take a snapshot of ${guest}`}
      verb="Take snapshot"
      close={close}
      act={(form) => api.takeSnapshot(guest, textIn(form, 'name'))}
    >
      <Field label="Name" hint="None: it is known by its number alone">
        <input name="name" autocomplete="off" />
      </Field>
    </Dialog>
  );
}

/** @param snapshot where the fork starts; undefined: the present state */
export function AskFork(props: {
  guest: string;
  snapshot?: string;
  close: () => void;
}): JSX.Element {
  const { api } = useConsole();
  const { guest, snapshot } = props;
  const fork = async (form: FormData): Promise<void> => {
    const name = textIn(form, 'name');
    const [made] = await api.fork(guest, {
      ...(name === undefined ? {} : { name }),
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    if (made !== undefined) location.assign(hrefOf({ page: 'overview', guest: made.name }));
  };
  return (
    <Dialog
      title={snapshot === undefined ? `Fork ${guest}` : `Fork ${guest} at ${snapshot}`}
      verb="Fork"
      close={props.close}
      act={fork}
    >
      <p class="faint">
        The fork shares what neither changes; what one does from now on the other does not see.
      </p>
      <Field label="Name of the fork" hint={`None: ${guest}-fork, or the next free name`}>
        <input name="name" autocomplete="off" />
      </Field>
    </Dialog>
  );
}

export function AskRemove(props: {
  guest: string;
  close: () => void;
  removed: () => void;
}): JSX.Element {
  const { api } = useConsole();
  const remove = async (): Promise<void> => {
    await api.remove(props.guest);
    props.removed();
  };
  return (
    <Dialog
      title={`Remove ${props.guest}?`}
      verb="Remove"
      isDanger
      close={props.close}
      act={remove}
    >
      <p class="faint">The guest, its snapshots and all that it kept are gone for good.</p>
    </Dialog>
  );
}

function textIn(form: FormData, field: string): string | undefined {
  const text = form.get(field);
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
}

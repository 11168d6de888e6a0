import type { Machine } from '@polyvisor/machine/machine';
import type { Instance } from '../instance.ts';
import type { AnyGuestKind, GuestKinds } from '../kinds/registry.ts';
import type { GuestKind } from '../kinds/kind.ts';
import { ScriptedShell } from './scripted-shell.ts';
import { SerialConsole } from '../kinds/linux/serial-console.ts';

type Files = ReadonlyMap<string, Buffer>;

/** A guest that is nothing but a shell and its files. */
class ShellInstance implements Instance<Files> {
  readonly isVolatile = true;
  readonly console = new SerialConsole(() => {});
  readonly shell: ScriptedShell;
  readonly machine: Machine = {
    kind: 'linux',
    run: () => ({ reason: 'idle', used: 0 }),
    usage: () => ({ work: 0n, memoryBytes: 0, storageBytes: 0 }),
  };

  constructor(shell: ScriptedShell, files: Files = new Map()) {
    this.shell = shell;
    this.restore(files);
  }

  state(): Files {
    return new Map(this.shell.files);
  }

  restore(files: Files): void {
    this.shell.files.clear();
    for (const [path, content] of files) this.shell.files.set(path, content);
  }

  setNow(): void {}
  wakesAtMs(): undefined {}
  head(): string {
    return '0 s';
  }

  facts(): [] {
    return [];
  }

  changesSince(): [] {
    return [];
  }

  async isReady(): Promise<boolean> {
    return true;
  }

  async listen(): Promise<[]> {
    return [];
  }

  async unlisten(): Promise<void> {}
  async exec(): Promise<undefined> {}
  networkBytes(): number {
    return 0;
  }

  dispose(): void {}
}

/** @param makeShell of each guest; by default one that is ready at once */
export function shellKind(
  makeShell = (): ScriptedShell => new ScriptedShell(),
): Readonly<Record<keyof GuestKinds, () => Promise<AnyGuestKind>>> {
  const kind: GuestKind<unknown, unknown, Files, object, ShellInstance> = {
    resolve: (options) => options,
    create: async () => new ShellInstance(makeShell()),
    load: async () => new ShellInstance(makeShell()),
    fork: async (_options, files) => new ShellInstance(makeShell(), files),
    forkOptions: (options) => options,
    loadState: () => new Map(),
    faces: () => ({}),
  };
  const load = async (): Promise<AnyGuestKind> => kind as AnyGuestKind;
  return { evm: load, linux: load };
}

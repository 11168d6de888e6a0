import { HostError } from '@polyvisor/errors/host-error';
import type { Guest } from '../guest.ts';
import type { CommandResult, GuestShell, RunOptions } from '../instance.ts';

/** A shell without a guest: `echo` prints its words, `cat` its input, and everything else fails with status 3. */
export class ScriptedShell implements GuestShell {
  readonly files = new Map<string, Buffer>();

  /** Gives a guest this shell in place of its own. */
  giveTo(guest: Guest): void {
    Object.defineProperty(guest, 'shell', { value: this });
  }

  async ready(): Promise<void> {}

  async run(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const [program = '', ...rest] = words;
    if (program === 'lost') throw new HostError('guest-restored', 'the guest went elsewhere');
    const isKnown = program === 'echo' || program === 'cat';
    const output = Buffer.from(program === 'cat' ? (options.stdin ?? '') : rest.join(' '));
    const stream = isKnown ? 'stdout' : 'stderr';
    options.onOutput?.(stream, output);
    const nothing = Buffer.alloc(0);
    return {
      exitCode: isKnown ? 0 : 3,
      stdout: isKnown ? output : nothing,
      stderr: isKnown ? nothing : output,
    };
  }

  async writeFile(path: string, content: Uint8Array | string): Promise<void> {
    this.files.set(path, Buffer.from(content));
  }

  async readFile(path: string): Promise<Uint8Array> {
    const content = this.files.get(path);
    if (content === undefined) throw new HostError('command-failed', `can't read ${path}`);
    return content;
  }
}

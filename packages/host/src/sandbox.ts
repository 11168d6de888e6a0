import { HostError } from '@polyvisor/errors/host-error';
import type { Guest } from './guest.ts';
import type { GuestSpec } from './guest-spec.ts';
import { createHost } from './host.ts';
import type { Host } from './host.ts';
import type { OutputStream } from './instance.ts';
import type { Snapshot } from './snapshots.ts';

export interface SandboxOptions extends Partial<Omit<GuestSpec<'linux'>, 'kind'>> {
  /** Where it lives. Default: a host of its own, which ends with the last of the sandbox and its forks. */
  readonly host?: Host;
  /** How long it may take until it runs commands, milliseconds. Default: 120 000. */
  readonly readyMsMax?: number;
}

export interface SandboxRunOptions {
  readonly stdin?: Uint8Array | string;
  /** Default: `/`. */
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Is given output as it comes. */
  readonly onOutput?: (stream: OutputStream, text: string) => void;
}

export interface SandboxResult {
  readonly exitCode: number;
  /** As UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
}

const READY_MS_MAX = 120_000;

/**
 * A disposable computer for what one does not trust: no network unless its options say so, its own memory and files,
 * gone with its `await using`.
 */
export class Sandbox implements AsyncDisposable {
  readonly guest: Guest;
  readonly #family: Family;
  #isClosed = false;

  private constructor(guest: Guest, family: Family) {
    this.guest = guest;
    this.#family = family;
    family.members++;
  }

  /**
   * Boots one, and waits until it runs commands.
   * @throws HostError `no-image`, `bad-option`, `sandbox-not-ready`, and what `host.create` throws
   */
  static async create(options: SandboxOptions = {}): Promise<Sandbox> {
    const { host, readyMsMax = READY_MS_MAX, options: computer = {}, ...limits } = options;
    const home = host ?? (await createHost());
    const family: Family = { host: home, isOwn: host === undefined, members: 0 };
    try {
      const guest = await home.create({ kind: 'linux', ...limits, options: computer });
      const sandbox = new Sandbox(guest, family);
      await sandbox.#untilReady(readyMsMax);
      return sandbox;
    } catch (error) {
      if (family.isOwn) await home.close();
      throw error;
    }
  }

  /**
   * Runs a command to its end.
   * @param command words as they are, or one text that the guest's shell reads
   */
  async runCommand(
    command: string | readonly string[],
    options: SandboxRunOptions = {},
  ): Promise<SandboxResult> {
    const words = typeof command === 'string' ? ['sh', '-c', command] : command;
    const { onOutput, ...rest } = options;
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const { exitCode, stdout, stderr } = await this.guest.shell.run(words, {
      ...rest,
      ...(onOutput && {
        onOutput: (stream, bytes) =>
          onOutput(stream, decoders[stream].decode(bytes, { stream: true })),
      }),
    });
    return { exitCode, stdout: textOf(stdout), stderr: textOf(stderr) };
  }

  /** @param files by path; what is there is replaced, directories are made */
  async writeFiles(files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
    const directories = new Set(Object.keys(files).map(directoryOf).filter(Boolean));
    if (directories.size > 0) {
      const { exitCode, stderr } = await this.runCommand(['mkdir', '-p', ...directories]);
      if (exitCode !== 0) throw new HostError('command-failed', stderr.trim());
    }
    for (const [path, content] of Object.entries(files)) {
      await this.guest.shell.writeFile(path, content);
    }
  }

  async readFile(path: string): Promise<Uint8Array> {
    return await this.guest.shell.readFile(path);
  }

  /** Keeps its present state; `restore` takes it back there. */
  async snapshot(name?: string): Promise<Snapshot> {
    return await this.guest.snapshot(name);
  }

  /** Commands under way have no end then: they reject. */
  async restore(snapshot: string): Promise<void> {
    await this.guest.restore(snapshot);
  }

  /** Running copies, which share what neither side has changed since. */
  async fork(count = 1): Promise<Sandbox[]> {
    const guests = await this.guest.forkMany(count);
    return guests.map((guest) => new Sandbox(guest, this.#family));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.guest.remove();
    const { host, isOwn } = this.#family;
    if (--this.#family.members === 0 && isOwn) await host.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #untilReady(msMax: number): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const said = textOf(this.guest.console.recent()).slice(-1000);
      reject(new HostError('sandbox-not-ready', `it runs no commands after ${msMax} ms: ${said}`));
    }, msMax);
    try {
      await Promise.race([this.guest.shell.ready(), late]);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Sandboxes of one host. */
interface Family {
  readonly host: Host;
  readonly isOwn: boolean;
  members: number;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

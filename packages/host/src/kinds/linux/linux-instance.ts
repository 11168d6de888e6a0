import type { Boot } from '@polyvisor/board/boot';
import { HostError } from '@polyvisor/errors/host-error';
import type { Mac } from '@polyvisor/net/address';
import type { Change } from '@polyvisor/store/rows';
import { formatSize } from '../../sizes.ts';
import type {
  CommandResult,
  Endpoint,
  Fact,
  GuestContext,
  GuestShell,
  Instance,
  ListenOptions,
  RunOptions,
} from '../../instance.ts';
import {
  NO_EXCHANGE_STATUS,
  exchangeFile,
  exchangeScript,
  putFile,
  takeFile,
} from './file-exchange.ts';
import { GuestAgent } from './guest-agent.ts';
import type { GuestDisks } from './guest-disks.ts';
import type { HostShares } from './host-shares.ts';
import type { Media } from './linux-devices.ts';
import { LinuxMachine } from './linux-machine.ts';
import type { LinuxState } from './linux-machine.ts';
import { LinuxNetwork, hostNameOf, macOf } from './linux-network.ts';
import type { ResolvedLinuxOptions } from './linux-types.ts';
import { SerialConsole } from './serial-console.ts';
import type { SharedFiles } from './shared-files.ts';
import { quote, scriptOf } from './shell-script.ts';

/** What a computer begins with, of the host's files. */
export interface LinuxMedia {
  readonly boot: () => Boot;
  readonly media: Media;
  /** Of this computer alone; closed with it. */
  readonly disks: GuestDisks;
  /** Likewise. */
  readonly shares: HostShares;
  /** Below the disks. */
  readonly files: SharedFiles;
}

/** A longer input goes by the exchange of files. */
const AGENT_STDIN_BYTES_MAX = 16_384;

/** A computer as a guest. Its state lives as long as the host does. */
export class LinuxInstance implements Instance<LinuxState>, GuestShell {
  readonly isVolatile = true;
  readonly machine: LinuxMachine;
  readonly console: SerialConsole;
  readonly shell: GuestShell = this;
  readonly #options: ResolvedLinuxOptions;
  readonly #context: GuestContext;
  readonly #agent: GuestAgent;
  readonly #network: LinuxNetwork | undefined;
  readonly #mac: Mac;
  readonly #disks: GuestDisks;
  readonly #shares: HostShares;
  readonly #letGoOfFiles: () => void;

  /** @throws HostError for images or sizes that can't be */
  constructor(
    options: ResolvedLinuxOptions,
    { boot, media, disks, shares, files }: LinuxMedia,
    context: GuestContext,
    state?: LinuxState,
  ) {
    const { memoryBytesMax } = context.limits;
    if (options.ramBytes > memoryBytesMax) {
      throw new HostError(
        'bad-option',
        `${formatSize(options.ramBytes)} of RAM are more than the guest's memory limit of ${formatSize(memoryBytesMax)}`,
        'give it less RAM, or raise its limit: memory',
      );
    }
    this.#options = options;
    this.#context = context;
    this.#mac = state?.mac ?? macOf(context.id);
    this.console = new SerialConsole(() => context.wake());
    this.#agent = new GuestAgent(
      (bytes) => {
        this.machine.toAgent.push(bytes);
        context.wake();
      },
      Buffer.from(context.entropy(4)).toString('hex'),
    );
    this.#network = this.#makeNetwork();
    this.machine = new LinuxMachine(
      {
        ramBytes: options.ramBytes,
        boot,
        media,
        disks,
        files,
        shares,
        mac: this.#mac,
        console: this.console,
        agent: () => this.#agent,
        card: () => this.#network?.replaceCard(),
        entropy: (length) => context.entropy(length),
        nowMs: () => context.clock.unixMs(),
      },
      state,
    );
    this.#disks = disks;
    this.#shares = shares;
    this.#letGoOfFiles = files.hold();
    if (state) this.#agent.restore(state.agent);
  }

  state(): LinuxState {
    return this.machine.state();
  }

  restore(state: LinuxState): void {
    this.machine.restore(state);
    this.#agent.restore(state.agent);
    this.#context.wake();
  }

  release({ saved, disks }: LinuxState): void {
    saved[Symbol.dispose]();
    disks.release();
  }

  setNow(unixMs: number): void {
    this.#network?.advance();
    if (this.machine.setNow(unixMs)) this.#context.wake();
  }

  wakesAtMs(): number | undefined {
    const deadline = this.#network?.deadlineMs ?? Infinity;
    const wakesAt = Math.min(deadline, this.machine.wakesAtMs ?? Infinity);
    return wakesAt === Infinity ? undefined : wakesAt;
  }

  head(): string {
    return this.machine.hasEnded ? 'off' : `${this.machine.uptimeSeconds} s`;
  }

  facts(): readonly Fact[] {
    const { ramBytes, image, kernel, disks } = this.#options;
    const facts: Fact[] = [
      ['boots', image ?? kernel],
      ['ram', formatSize(ramBytes)],
    ];
    if (disks.length > 0) facts.push(['disks', String(disks.length)]);
    return facts;
  }

  /** The state is in no database. */
  changesSince(): Iterable<Change> {
    return [];
  }

  async isReady(): Promise<boolean> {
    return !this.machine.hasEnded;
  }

  async listen(_options: ListenOptions = {}): Promise<readonly Endpoint[]> {
    if (this.machine.hasEnded) this.machine.reboot();
    this.#context.wake();
    return (await this.#network?.listen()) ?? [];
  }

  async unlisten(): Promise<void> {
    await this.#network?.unlisten();
  }

  /** A command with its arguments, as words. @throws HostError `bad-command` */
  async exec(command: string, parameters: readonly unknown[]): Promise<unknown> {
    const words = [command, ...parameters].map((word) => {
      if (typeof word === 'string' || typeof word === 'number') return String(word);
      throw new HostError('bad-command', `${JSON.stringify(word)} is no word of a command`);
    });
    const { exitCode, stdout, stderr } = await this.run(words);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
    return { exitCode, stdout: text(stdout), stderr: text(stderr) };
  }

  async ready(): Promise<void> {
    this.#context.checkOpen();
    await this.#agent.ready();
  }

  async run(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    await this.ready();
    const script = scriptOf(words, options);
    const stdin = options.stdin === undefined ? undefined : Buffer.from(options.stdin);
    if (stdin === undefined || stdin.length <= AGENT_STDIN_BYTES_MAX) {
      return await this.#agent.run(script, options);
    }
    const { onOutput } = options;
    const name = this.#exchangeName();
    const work = `{ ${script}\n} <${exchangeFile(name)}`;
    const result = await this.#exchange(name, stdin, work, onOutput && { onOutput });
    if (result.exitCode !== NO_EXCHANGE_STATUS) return result;
    return await this.#agent.run(script, options);
  }

  async writeFile(path: string, content: Uint8Array | string): Promise<void> {
    await this.ready();
    const bytes = Buffer.from(content);
    const name = this.#exchangeName();
    const result = await this.#exchange(name, bytes, `cat ${exchangeFile(name)} >${quote(path)}`);
    if (result.exitCode === NO_EXCHANGE_STATUS) return await this.#writeSlowly(path, bytes);
    if (result.exitCode !== 0) throw commandFailed(`can't write ${path}`, result.stderr);
  }

  async readFile(path: string): Promise<Uint8Array> {
    await this.ready();
    const name = this.#exchangeName();
    const work = `cat ${quote(path)} >${exchangeFile(name)}`;
    const { exitCode, stderr } = await this.#agent.run(exchangeScript(name, work));
    const content = takeFile(this.machine.exchange, name);
    if (exitCode === 0 && content) return content;
    if (exitCode !== NO_EXCHANGE_STATUS) throw commandFailed(`can't read ${path}`, stderr);
    const slowly = await this.#agent.run(scriptOf(['cat', path]));
    if (slowly.exitCode !== 0) throw commandFailed(`can't read ${path}`, slowly.stderr);
    return slowly.stdout;
  }

  failed(reason: HostError): void {
    this.#agent.abandon(reason);
  }

  networkBytes(): number {
    return this.#network?.bytes ?? 0;
  }

  dispose(): void {
    this.#agent.end(new HostError('guest-stopped', `guest '${this.#context.name}' is gone`));
    this.#network?.[Symbol.dispose]();
    this.machine[Symbol.dispose]();
    this.#shares[Symbol.dispose]();
    try {
      this.#disks.close();
    } catch (error) {
      this.#context.log('error', `what it wrote and did not flush is lost: ${String(error)}`);
    }
    this.#letGoOfFiles();
  }

  /** Runs a script's work with a file in the exchange, which is gone afterwards. */
  async #exchange(
    name: string,
    content: Uint8Array,
    work: string,
    options: Pick<RunOptions, 'onOutput'> = {},
  ): Promise<CommandResult> {
    putFile(this.machine.exchange, name, content);
    try {
      return await this.#agent.run(exchangeScript(name, work), options);
    } finally {
      takeFile(this.machine.exchange, name);
    }
  }

  /** One that no file has: not in this machine, and not in what it came from. */
  #exchangeName(): string {
    return Buffer.from(this.#context.entropy(12)).toString('hex');
  }

  /** By the agent's own lines, which any image with an agent takes. */
  async #writeSlowly(path: string, content: Uint8Array): Promise<void> {
    const { exitCode, stderr } = await this.#agent.run(scriptOf(['cp', '/dev/null', path]));
    if (exitCode !== 0) throw commandFailed(`can't write ${path}`, stderr);
    await this.#agent.append(path, content);
  }

  /** Without a rule and without a forward, there is no card. */
  #makeNetwork(): LinuxNetwork | undefined {
    const { limits, name, clock } = this.#context;
    const { forwards } = this.#options;
    if (limits.network === 'none' && forwards.length === 0) return undefined;
    return new LinuxNetwork({
      name: hostNameOf(name),
      mac: this.#mac,
      policy: limits.network,
      forwards,
      nowMs: () => clock.unixMs(),
      random32: () => Buffer.from(this.#context.entropy(4)).readUInt32LE(),
      onFrame: () => this.#context.wake(),
    });
  }
}

function commandFailed(what: string, stderr: Uint8Array): HostError {
  return new HostError('command-failed', `${what}: ${Buffer.from(stderr).toString('utf8').trim()}`);
}

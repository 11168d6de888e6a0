import { stripVTControlCharacters } from 'node:util';
import type { Guest } from '@polyvisor/host/guest';

/** Longest wait, in the host's time. */
const WAIT_MS_MAX = 15 * 60_000;
/** Characters of the terminal that an error has. */
const REPORT_LENGTH = 2000;
const STATUS = /status=(\d+);/;

/** What a command printed, and its exit status. */
export interface Answer {
  readonly text: string;
  readonly status: number;
}

/** Somebody at the terminal of a guest of a host. */
export class GuestTerminal implements Disposable {
  readonly #guest: Guest;
  readonly #startMs = performance.now();
  readonly #prompt: string;
  readonly #stopListening: () => void;
  #text = '';
  #onText: () => void = () => {};

  /** @param prompt of the guest's shell */
  constructor(guest: Guest, prompt: string) {
    this.#guest = guest;
    this.#prompt = prompt;
    this.#stopListening = guest.console.on((bytes) => {
      this.#text += Buffer.from(bytes).toString('latin1');
      this.#onText();
    });
  }

  /** `34.5 s and 6200 million instructions`, since the guest began. */
  get spent(): string {
    const millions = (this.#guest.usage().work / 1_000_000n).toString();
    return `${((performance.now() - this.#startMs) / 1000).toFixed(1)} s and ${millions} million instructions`;
  }

  /** Waits for the shell's prompt. */
  async prompt(): Promise<void> {
    await this.#take(this.#prompt, () => this.#text.indexOf(this.#prompt));
  }

  /** Types a command and waits for its end. */
  async run(command: string): Promise<Answer> {
    // The terminal shows what is typed, too, and there the status is none yet.
    this.type(`${command}; echo "status=$?;"\n`);
    const printed = await this.#take(command, () => {
      const at = this.#text.search(STATUS);
      return at < 0 ? -1 : this.#text.indexOf(this.#prompt, at);
    });
    const text = stripVTControlCharacters(printed).replaceAll('\r', '');
    return { text, status: Number(STATUS.exec(text)![1]) };
  }

  type(text: string): void {
    this.#guest.console.write(Buffer.from(text));
  }

  /** Waits until something is true that changes with what the guest prints or while it is off. */
  async until(isDone: () => boolean, what: string): Promise<void> {
    await this.#wait(() => isDone() || undefined, what);
  }

  [Symbol.dispose](): void {
    this.#stopListening();
  }

  /** Waits until the prompt is somewhere. @returns what stood in front of it, which is gone then */
  async #take(what: string, find: () => number): Promise<string> {
    const at = await this.#wait(() => {
      const found = find();
      return found < 0 ? undefined : found;
    }, what);
    const text = this.#text.slice(0, at);
    this.#text = this.#text.slice(at + this.#prompt.length);
    return text;
  }

  /** @throws Error with the end of what the terminal showed, after `WAIT_MS_MAX` */
  async #wait<T>(look: () => T | undefined, what: string): Promise<T> {
    const lastMs = performance.now() + WAIT_MS_MAX;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const state = this.#guest.state.name;
      if (performance.now() > lastMs || state !== 'running') {
        const shown = this.#text.slice(-REPORT_LENGTH);
        throw new Error(
          `waited for ${what} until ${this.spent}, the guest is ${state}; its terminal showed:\n${shown}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#onText = () => (clearTimeout(timer), resolve());
      });
    }
  }
}

/** Files of the host that several guests read: closed when the last lets go. */
export class SharedFiles {
  readonly #close: () => void;
  #holders = 0;

  constructor(close: () => void) {
    this.#close = close;
  }

  /** @returns what lets go, once */
  hold(): () => void {
    this.#holders++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holders === 0) this.#close();
    };
  }
}

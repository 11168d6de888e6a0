/** The few values that were used last, by number. */
export class Recent<T> {
  readonly #countMax: number;
  /** The one used longest ago is first. */
  readonly #values = new Map<number, T>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get(key: number, make: () => T): T {
    const value = this.#values.get(key) ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#countMax) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    return value;
  }
}

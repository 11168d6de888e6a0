/** Keeps the last `capacity` items, with readers who want to follow. Items are numbered from 1, for good. */
export class Ring<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  readonly #followers = new Set<(item: T, number: number) => void>();
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Items pushed so far: the number of the newest. */
  get count(): number {
    return this.#count;
  }

  push(item: T): void {
    this.#items[this.#count % this.#capacity] = item;
    this.#count++;
    for (const follower of this.#followers) follower(item, this.#count);
  }

  /** Items numbered above `after` that are still kept, oldest first; the last `limit` of them. */
  since(after = 0, limit: number = this.#capacity): T[] {
    const first = Math.max(after, this.#count - this.#capacity, this.#count - limit, 0);
    const items: T[] = [];
    for (let index = first; index < this.#count; index++) {
      items.push(this.#items[index % this.#capacity] as T);
    }
    return items;
  }

  /** Calls for every item from now on, in the pusher's turn; the result ends it. */
  follow(follower: (item: T, number: number) => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }
}

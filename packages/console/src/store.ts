import { useEffect, useState } from 'preact/hooks';

/** A value that components follow. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** @returns a function that ends it */
  follow(reader: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const readers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const reader of readers) reader();
    },
    follow(reader) {
      readers.add(reader);
      return () => void readers.delete(reader);
    },
  };
}

/** The store's value; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, draw] = useState(store.get());
  useEffect(() => {
    // It may have changed between the first drawing and now.
    draw(store.get());
    return store.follow(() => draw(store.get()));
  }, [store]);
  return store.get();
}

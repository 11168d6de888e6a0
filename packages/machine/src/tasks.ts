import { assert } from '@polyvisor/errors/assert';
import type { Slice, Steps } from './steps.ts';

/** Work that a machine does in slices and that somebody waits for. */
export class Task<T> {
  readonly #start: (slice: Slice) => Steps<T>;
  readonly #listeners: (() => void)[] = [];
  #steps: Steps<T> | undefined;
  #ending: { readonly value: T } | { readonly error: unknown } | undefined;

  /** `start` is called when the task's turn comes, so it sees the state of that moment. */
  constructor(start: (slice: Slice) => Steps<T>) {
    this.#start = start;
  }

  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** What the ended task gave. @throws what it failed with */
  get result(): T {
    assert(this.#ending, 'the task has not ended');
    if ('error' in this.#ending) throw this.#ending.error;
    return this.#ending.value;
  }

  /** Calls back when the task has ended, at once if it has. */
  onEnd(listener: () => void): void {
    if (this.#ending) listener();
    else this.#listeners.push(listener);
  }

  /** True when ended. */
  step(slice: Slice): boolean {
    try {
      this.#steps ??= this.#start(slice);
      const { done, value } = this.#steps.next();
      if (done) this.#end({ value });
    } catch (error) {
      this.#end({ error });
    }
    return this.#ending !== undefined;
  }

  /** Ends the task with an error where it stands. */
  cancel(error: Error): void {
    if (this.#ending) return;
    this.#steps?.return(undefined as T);
    this.#end({ error });
  }

  #end(ending: { readonly value: T } | { readonly error: unknown }): void {
    this.#ending = ending;
    this.#steps = undefined;
    for (const listener of this.#listeners.splice(0)) listener();
  }
}

/** The tasks of a machine, first come first served. */
export class TaskQueue {
  readonly #tasks: Task<unknown>[] = [];
  /** One object for all slices: tasks keep it. */
  readonly #slice: Slice = { left: 0 };

  get isEmpty(): boolean {
    return this.#tasks.length === 0;
  }

  add<T>(task: Task<T>): Task<T> {
    this.#tasks.push(task as Task<unknown>);
    return task;
  }

  /** Works until about `budget` gas is spent or no task is left. @returns the gas spent */
  run(budget: number): number {
    this.#slice.left = budget;
    while (this.#slice.left > 0) {
      const [task] = this.#tasks;
      if (!task) break;
      // A task's end may add tasks, or cancel all of them.
      if ((task.isEnded || task.step(this.#slice)) && this.#tasks[0] === task) this.#tasks.shift();
    }
    return budget - this.#slice.left;
  }

  cancelAll(error: Error): void {
    for (const task of this.#tasks.splice(0)) task.cancel(error);
  }
}

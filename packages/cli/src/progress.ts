import type { Terminal } from './terminal.ts';

/** Shows how far long work is, on a terminal; elsewhere nothing. */
export interface Progress extends Disposable {
  /** `done` of the steps are over and `doing` is under way. */
  at(done: number, doing: string): void;
}

/** @param stepsMax how many steps the work has, > 0 */
export function showProgress(terminal: Terminal, stepsMax: number): Progress {
  if (!terminal.isInteractive) return { at() {}, [Symbol.dispose]() {} };
  return {
    at(done, doing) {
      const filled = Math.round((done / stepsMax) * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      terminal.overwrite(`  ${bar} ${done}/${stepsMax} ${doing}`);
    },
    [Symbol.dispose]() {
      terminal.overwrite('');
    },
  };
}

const BAR_WIDTH = 24;

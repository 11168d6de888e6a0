import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countingProgram } from '@polyvisor/board/testing/counting-program';
import type { LinuxOptions } from '../kinds/linux/linux-types.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** The program as a file, and the options of a guest that boots it. */
export class CountingComputer implements Disposable {
  readonly options: LinuxOptions;
  readonly #directory = new TemporaryDirectory();

  constructor() {
    const kernel = join(this.#directory.path, 'counting.elf');
    writeFileSync(kernel, countingProgram());
    this.options = { kernel, ram: '16MiB' };
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

import { writeFileSync } from 'node:fs';
import { HostError } from '@polyvisor/errors/host-error';
import type { CommandCall } from '../command.ts';

export async function run({ terminal, options }: CommandCall): Promise<void> {
  try {
    writeFileSync(FILE, TEMPLATE, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new HostError('no-file', `can't write ${FILE}: ${message}`);
    throw new HostError('file-exists', `there is a ${FILE} already`, 'remove it first');
  }
  const text = `wrote ${FILE}; bring it up with: polyvisor up`;
  terminal.print(options['json'] === true ? JSON.stringify({ file: FILE }) : text);
}

const FILE = 'polyvisor.config.ts';

const TEMPLATE = `import { defineConfig, evm } from 'polyvisor/config';

export default defineConfig({
  guests: {
    l1: evm({ port: 8545 }),
  },
});
`;

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findConfigFile, loadConfigFile } from './config-file.ts';
import { TemporaryDirectory } from '@polyvisor/host/testing/temporary-directory';

test('a JSON file; paths in it are relative to it', async () => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'polyvisor.config.json');
  const guests = { l1: { kind: 'evm', options: {} } };
  writeFileSync(file, JSON.stringify({ guests, dataDirectory: 'data', console: false }));
  expect(await loadConfigFile(file)).toEqual({
    guests,
    dataDirectory: join(directory.path, 'data'),
    console: false,
  });
});

test('a file is found by its name, TypeScript first', () => {
  using directory = new TemporaryDirectory();
  expect(findConfigFile(directory.path)).toBeUndefined();
  for (const extension of ['json', 'mjs', 'js', 'ts']) {
    const file = join(directory.path, `polyvisor.config.${extension}`);
    writeFileSync(file, '');
    expect(findConfigFile(directory.path)).toBe(file);
  }
});

test.for([
  ['not json', /can't be read: /],
  ['{"guests": {"l1": {"kind": "vax"}}}', /\n {2}guests\.l1\.kind: /],
  [
    '{"guests": {"l1": {"kind": "evm", "options": {"chainId": 0}}}}',
    /\n {2}guests\.l1\.options\.chainId: /,
  ],
  ['{"guests": {"l1": {"kind": "evm", "options": {"chianId": 1}}}}', /"chianId"/],
  ['{"guests": {}, "console": {"port": 65536}}', /\n {2}console\.port: |\n {2}console: /],
  ['{}', /\n {2}guests: /],
] as const)('%s is told where it is wrong', async ([text, message]) => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'polyvisor.config.json');
  writeFileSync(file, text);
  await expect(loadConfigFile(file)).rejects.toThrow(
    expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(message) }),
  );
});

test.for([
  ['export const config = {};', / has no default export/],
  ['throw new Error("mine");', / can't be loaded: mine/],
  ['import "polyvisor/nothing";', / can't be loaded: /],
] as const)('a module that says %s is refused', async ([text, message]) => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'polyvisor.config.mjs');
  writeFileSync(file, text);
  await expect(loadConfigFile(file)).rejects.toThrow(message);
});

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import type { NewImage } from './image-store.ts';
import { addImage, findImage, listImages, readImageFile, removeImage } from './image-store.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'polyvisor-images-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const code = (name: string): unknown => expect.objectContaining({ code: name });
const image: NewImage = {
  kernel: utf8ToBytes('kernel'),
  root: utf8ToBytes('the root'),
  commandLine: 'console=ttyS0',
  hasAgent: true,
  source: 'a test',
};
const aboutOf = (name: string): string => join(home, 'images', name, 'image.json');

test('an image is as it was put there', () => {
  const added = addImage(home, 'one', image);
  expect(added).toMatchObject({
    name: 'one',
    kernel: join(home, 'images/one/kernel'),
    root: join(home, 'images/one/root.tar'),
    commandLine: 'console=ttyS0',
    hasAgent: true,
    source: 'a test',
    bytes: 14,
  });
  expect(added.initrd).toBeUndefined();
  expect(findImage(home, 'one')).toEqual(added);
  expect(bytesToUtf8(readImageFile(added, 'root'))).toBe('the root');
  expect(() => readImageFile(added, 'initrd')).toThrow(code('image-damaged'));
  expect(readdirSync(join(home, 'images'))).toEqual(['one']);
});

test('the list goes by names, and shows what is damaged', () => {
  expect(listImages(home)).toEqual([]);
  for (const name of ['b', 'a', 'c']) addImage(home, name, image);
  writeFileSync(aboutOf('b'), '{');
  const [a, b, c] = listImages(home);
  expect([a, c]).toEqual([findImage(home, 'a'), findImage(home, 'c')]);
  expect(b).toMatchObject({ name: 'b', damage: expect.stringContaining('no JSON') });
});

test('one that is not there is told with those that are', () => {
  expect(() => findImage(home, 'x')).toThrow(/there is none yet/);
  addImage(home, 'a', image);
  addImage(home, 'b', image);
  expect(() => findImage(home, 'x')).toThrow(/no image x; there are a, b/);
  expect(() => findImage(home, 'x')).toThrow(code('no-image'));
});

test('a name is taken once, unless it is to be replaced', () => {
  addImage(home, 'a', image);
  const other = { ...image, kernel: utf8ToBytes('another') };
  expect(() => addImage(home, 'a', other)).toThrow(code('image-exists'));
  expect(bytesToUtf8(readImageFile(findImage(home, 'a'), 'kernel'))).toBe('kernel');
  addImage(home, 'a', other, { isReplacing: true });
  addImage(home, 'b', other, { isReplacing: true });
  expect(bytesToUtf8(readImageFile(findImage(home, 'a'), 'kernel'))).toBe('another');
  expect(readdirSync(join(home, 'images')).toSorted()).toEqual(['a', 'b']);
});

test('an image can be removed, also a damaged one', () => {
  addImage(home, 'a', image);
  writeFileSync(aboutOf('a'), '');
  removeImage(home, 'a');
  expect(listImages(home)).toEqual([]);
  expect(() => removeImage(home, 'a')).toThrow(code('no-image'));
});

test.for(['', '.', '..', '.a', 'a/b', 'a b', 'ä', 'a'.repeat(65)])('%j is no name', (name) => {
  for (const use of [findImage, removeImage]) {
    expect(() => use(home, name)).toThrow(code('bad-name'));
  }
  expect(() => addImage(home, name, image)).toThrow(code('bad-name'));
});

test('a name may have 64 characters', () => {
  expect(addImage(home, 'A.b-c_0'.padEnd(64, 'x'), image).name).toHaveLength(64);
});

test('a file that is another than was put there is not used', () => {
  const { kernel } = addImage(home, 'a', image);
  writeFileSync(kernel, 'k');
  expect(() => findImage(home, 'a')).toThrow(code('image-damaged'));
  // As long, so that only its hash tells.
  writeFileSync(kernel, 'Kernel');
  expect(() => readImageFile(findImage(home, 'a'), 'kernel')).toThrow(code('image-damaged'));
  rmSync(kernel);
  expect(() => findImage(home, 'a')).toThrow(code('image-damaged'));
});

test.for([
  ['a list', () => []],
  ['without a kernel', (about) => ({ ...about, kernel: undefined })],
  ['with a file elsewhere', (about) => ({ ...about, kernel: '../../x' })],
  ['without hashes', (about) => ({ ...about, files: undefined })],
  ['with no hash', (about) => ({ ...about, files: { kernel: { bytes: 6, sha256: 'x' } } })],
  ['without a command line', (about) => ({ ...about, commandLine: undefined })],
  ['with an agent of another kind', (about) => ({ ...about, hasAgent: 'yes' })],
  ['with a number for its source', (about) => ({ ...about, source: 1 })],
] satisfies [string, (about: Record<string, unknown>) => unknown][])(
  'what is said about an image, %s, is damaged',
  ([, change]) => {
    addImage(home, 'a', image);
    const about = JSON.parse(readFileSync(aboutOf('a'), 'utf8')) as Record<string, unknown>;
    writeFileSync(aboutOf('a'), JSON.stringify(change(about)));
    expect(() => findImage(home, 'a')).toThrow(code('image-damaged'));
  },
);

test('an image of another format says so', () => {
  addImage(home, 'a', image);
  writeFileSync(aboutOf('a'), JSON.stringify({ format: 2 }));
  expect(() => findImage(home, 'a')).toThrow(code('image-not-supported'));
});

import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryFile } from '@polyvisor/disk/file-door';
import { openRawImage } from '@polyvisor/disk/raw-image';
import { TemporaryDirectory } from '../../testing/temporary-directory.ts';
import type { DiskPlan, GuestDisks } from './guest-disks.ts';
import { openMedia } from './linux-media.ts';
import type { ResolvedLinuxOptions } from './linux-types.ts';
import { MemoryDisks } from './memory-disks.ts';
import { StoredDisks } from './stored-disks.ts';

const BLOCK = 4096;
const BYTES = 64 * BLOCK;
const BYTES_MAX = 16 * BLOCK;
const code = (name: string): unknown => expect.objectContaining({ code: name });

const baseContent = new Uint8Array(BYTES).fill(7);
const base = {
  name: 'sevens',
  device: openRawImage(memoryFile(baseContent), { isReadOnly: true }),
};
const plans: readonly DiskPlan[] = [
  { base: undefined, bytes: BYTES, isReadOnly: false },
  { base, bytes: BYTES, isReadOnly: true },
  { base, bytes: 2 * BYTES, isReadOnly: false },
];

let directory: TemporaryDirectory;
let opened: GuestDisks[];

beforeEach(() => {
  directory = new TemporaryDirectory();
  opened = [];
});

afterEach(() => {
  for (const disks of opened) disks.close();
  directory[Symbol.dispose]();
});

function keep<T extends GuestDisks>(disks: T): T {
  opened.push(disks);
  return disks;
}

const block = (value: number): Uint8Array => new Uint8Array(BLOCK).fill(value);

/** The first byte of each of the first blocks. */
function look(disks: GuestDisks, disk: number, count = 3): number[] {
  const byte = new Uint8Array(1);
  return Array.from({ length: count }, (_, index) => {
    disks.devices[disk]!.read(index * BLOCK, byte);
    return byte[0]!;
  });
}

describe.each([
  ['in memory', () => MemoryDisks.begin(plans, BYTES_MAX)],
  ['in a store', () => StoredDisks.open(join(directory.path, 'one'), plans, BYTES_MAX)],
])('disks %s', (_, make) => {
  test('are blank, or as the image below', () => {
    const disks = keep(make());
    expect([look(disks, 0), look(disks, 1), look(disks, 2)]).toEqual([
      [0, 0, 0],
      [7, 7, 7],
      [7, 7, 7],
    ]);
    const end = new Uint8Array(8);
    disks.devices[2]!.read(BYTES - 4, end);
    expect([...end]).toEqual([7, 7, 7, 7, 0, 0, 0, 0]);
    expect(() => disks.devices[1]!.write(0, block(1))).toThrow(code('disk-read-only'));
    expect(disks.takeFault()).toBeUndefined();
  });

  test('go back to what was saved, as often as one likes', () => {
    const disks = keep(make());
    disks.devices[0]!.write(0, block(1));
    const saved = disks.save();
    for (let round = 0; round < 3; round++) {
      disks.devices[0]!.write(0, block(2));
      disks.devices[2]!.write(BLOCK, block(3));
      expect([look(disks, 0), look(disks, 2)]).toEqual([
        [2, 0, 0],
        [7, 3, 7],
      ]);
      saved.restore();
      expect([look(disks, 0), look(disks, 2)]).toEqual([
        [1, 0, 0],
        [7, 7, 7],
      ]);
    }
    saved.release();
    expect(disks.storageBytes).toBe(BLOCK);
  });

  test('and copies of what was saved go their own ways', async () => {
    const disks = keep(make());
    disks.devices[0]!.write(0, block(1));
    const saved = disks.save();
    const opening = saved.open(join(directory.path, 'two'));
    saved.release();
    for (let index = 0; index < 8; index++)
      disks.devices[0]!.write(index * BLOCK, block(40 + index));
    disks.devices[0]!.flush();
    const copy = keep(await opening);
    expect(look(copy, 0)).toEqual([1, 0, 0]);
    copy.devices[0]!.write(BLOCK, block(2));
    copy.devices[0]!.flush();
    expect([look(disks, 0), look(copy, 0)]).toEqual([
      [40, 41, 42],
      [1, 2, 0],
    ]);
  });

  test('take what their limit allows, and not a block more', () => {
    const disks = keep(make());
    const [disk] = disks.devices;
    for (let index = 0; index < BYTES_MAX / BLOCK; index++) {
      disk!.write(index * BLOCK, block(index + 1));
    }
    disk!.flush();
    expect([disks.storageBytes, disks.takeFault()]).toEqual([BYTES_MAX, undefined]);
    const saved = disks.save();
    expect(() => disk!.write(BYTES_MAX, block(99))).toThrow(code('disk-quota'));
    expect(disks.takeFault()).toMatchObject({ code: 'storage-quota' });
    expect(disks.takeFault()).toBeUndefined();
    saved.restore();
    expect(look(disks, 0)).toEqual([1, 2, 3]);
    saved.release();
    disk!.discard!(0, 2 * BLOCK);
    disk!.zero!(2 * BLOCK, BLOCK);
    disk!.write(BYTES_MAX, block(99));
    disk!.write(BYTES_MAX + BLOCK, block(98));
    disk!.flush();
    expect(look(disks, 0, 4)).toEqual([0, 0, 0, 4]);
    expect(disks.storageBytes).toBe(BYTES_MAX - BLOCK);
  });

  test('have zeros where zeros are wanted, over an image too', () => {
    const disks = keep(make());
    const disk = disks.devices[2]!;
    disk.zero!(BLOCK - 1, BLOCK + 2);
    const content = new Uint8Array(3 * BLOCK);
    disk.read(0, content);
    const expected = new Uint8Array(3 * BLOCK).fill(7);
    expected.fill(0, BLOCK - 1, 2 * BLOCK + 1);
    expect(content).toEqual(expected);
  });
});

describe('disks in a store', () => {
  const open = (used = plans): StoredDisks =>
    keep(StoredDisks.open(directory.path, used, BYTES_MAX));

  test('are there again, without what was saved of them', () => {
    const disks = open();
    disks.devices[0]!.write(0, block(1));
    disks.save();
    disks.devices[0]!.write(0, block(2));
    disks.close();
    const again = open();
    expect(look(again, 0)).toEqual([2, 0, 0]);
    expect(again.storageBytes).toBe(BLOCK);
  });

  test('are not opened over another image', () => {
    open().close();
    const other = { ...base, name: 'eights' };
    const changed = plans.map((plan) => (plan.base ? { ...plan, base: other } : plan));
    expect(() => open(changed)).toThrow(code('disk-base'));
  });

  test('are not copied once they are closed', async () => {
    const disks = open();
    const saved = disks.save();
    disks.close();
    await expect(saved.open(join(directory.path, 'two'))).rejects.toThrow(code('disk-failed'));
    expect(existsSync(join(directory.path, 'two'))).toBe(false);
    saved.release();
  });
});

describe('a disk of a file', () => {
  const file = (): string => join(directory.path, 'disk.raw');
  const plan = (bytes: number | undefined): DiskPlan => {
    const disk = { file: file(), format: 'raw', bytes, readOnly: false } as const;
    const options = { disks: [disk], root: undefined } as unknown as ResolvedLinuxOptions;
    const { plans: made, files } = openMedia(options, 0, () => 0);
    files.hold()();
    return made[0]!;
  };

  test.each([
    [undefined, 8192],
    [8192, 8192],
    [12_288, 12_288],
  ])('with size %s has %i bytes', (size, bytes) => {
    writeFileSync(file(), new Uint8Array(8192));
    expect(plan(size).bytes).toBe(bytes);
  });

  test('is no smaller than the file, and has whole sectors', () => {
    writeFileSync(file(), new Uint8Array(8192));
    expect(() => plan(4096)).toThrow(code('bad-option'));
    writeFileSync(file(), new Uint8Array(8193));
    expect(() => plan(undefined)).toThrow(code('bad-option'));
  });

  test('is another one when the file has changed', () => {
    writeFileSync(file(), new Uint8Array(8192));
    const before = plan(undefined).base!.name;
    expect(plan(undefined).base!.name).toBe(before);
    utimesSync(file(), 1, 1);
    expect(plan(undefined).base!.name).not.toBe(before);
  });
});

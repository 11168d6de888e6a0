import { expect, test } from 'vitest';
import { boardTree } from './board-tree.ts';
import { type TreeNode, cells64, flattenTree } from './device-tree.ts';
import { RAM_BASE } from './layout.ts';

/** Reads a flattened tree as text, a line a property: what a kernel would see. */
function unflatten(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer);
  expect(view.getUint32(0)).toBe(0xd00d_feed);
  expect(view.getUint32(4)).toBe(bytes.length);
  const stringsAt = view.getUint32(12);
  const found = new Map<string, Uint8Array>();
  const text = (at: number) => {
    const end = bytes.indexOf(0, at);
    return new TextDecoder().decode(bytes.subarray(at, end));
  };
  const path: string[] = [];
  for (let at = view.getUint32(8); ;) {
    const token = view.getUint32(at);
    at += 4;
    if (token === 1) {
      path.push(text(at));
      at = (at + path.at(-1)!.length + 4) & ~3;
    } else if (token === 2) path.pop();
    else if (token === 3) {
      const length = view.getUint32(at);
      const name = text(stringsAt + view.getUint32(at + 4));
      found.set(`${path.join('/')}/${name}`, bytes.slice(at + 8, at + 8 + length));
      at = (at + 8 + length + 3) & ~3;
    } else {
      expect([token, path.length, at]).toEqual([9, 0, stringsAt]);
      return found;
    }
  }
}

test('a tree is its nodes and properties', () => {
  const tree: TreeNode = {
    name: '',
    properties: { empty: true, text: 'abc', list: ['a', 'bc'] },
    children: [
      { name: 'child@1', properties: { reg: cells64(0x1_0000_0002), text: 'x' } },
      { name: 'other', properties: { bytes: Uint8Array.of(1, 2, 3) } },
    ],
  };
  const found = unflatten(flattenTree(tree));
  expect(Object.fromEntries([...found].map(([key, value]) => [key, [...value]]))).toEqual({
    '/empty': [],
    '/text': [97, 98, 99, 0],
    '/list': [97, 0, 98, 99, 0],
    '/child@1/reg': [0, 0, 0, 1, 0, 0, 0, 2],
    '/child@1/text': [120, 0],
    '/other/bytes': [1, 2, 3],
  });
});

test('the board names its memory, console, devices and interrupt map', () => {
  const found = unflatten(
    flattenTree(
      boardTree({
        ramBytes: 2 ** 28,
        extensions: ['i', 'm', 'sstc'],
        bootArguments: 'console=ttyS0',
        initrd: { start: RAM_BASE + 4096, end: RAM_BASE + 5000 },
        rngSeed: undefined,
        virtioSlots: [0, 2],
      }),
    ),
  );
  const text = (path: string) => new TextDecoder().decode(found.get(path)).replaceAll('\0', ' ');
  expect(text('/chosen/bootargs')).toBe('console=ttyS0 ');
  expect(text('/cpus/cpu@0/riscv,isa')).toBe('rv64im_sstc ');
  expect(text('/cpus/cpu@0/riscv,isa-extensions')).toBe('i m sstc ');
  expect([...found.get('/memory@80000000/reg')!]).toEqual([
    0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0,
  ]);
  expect(found.has('/soc/virtio_mmio@10003000/reg')).toBe(true);
  expect(found.has('/soc/virtio_mmio@10002000/reg')).toBe(false);
  expect(found.get('/soc/pci@30000000/interrupt-map')).toHaveLength(16 * 6 * 4);
  expect(found.has('/chosen/rng-seed')).toBe(false);
});

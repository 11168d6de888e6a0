import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** v86 with its serial line at standard output: `v86-guest.ts <package> <folder> <kernel's arguments>`. */
const [, , v86, folder, cmdline] = process.argv as [string, string, string, string, string];
const { V86 } = await import(pathToFileURL(join(v86, 'build', 'libv86.mjs')).href);
const file = (name: string): { buffer: ArrayBuffer } => {
  const bytes = readFileSync(join(folder, name));
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
};
const machine = new V86({
  wasm_path: join(v86, 'build', 'v86.wasm'),
  bios: file('bios'),
  vga_bios: file('vga-bios'),
  bzimage: file('peer-kernel'),
  initrd: file('peer-initrd'),
  cmdline,
  memory_size: 512 * 2 ** 20,
  disable_speaker: true,
  autostart: true,
});
machine.add_listener('serial0-output-byte', (byte: number) => {
  process.stdout.write(Uint8Array.of(byte));
});

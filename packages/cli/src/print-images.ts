import type { DamagedImage, StoredImage } from '@polyvisor/images/image-store';
import type { CommandCall } from './command.ts';
import { table } from './table.ts';

/** An image as programs see it. */
export function imageView(image: StoredImage): object {
  const { name, bytes, hasAgent, commandLine, source, createdAt, kernel, initrd, root } = image;
  return { name, bytes, hasAgent, commandLine, source, createdAt, kernel, initrd, root };
}

export function printImages(
  { terminal, options }: CommandCall,
  images: readonly (StoredImage | DamagedImage)[],
): void {
  if (options['json'] === true) {
    const views = images.map((image) => ('damage' in image ? image : imageView(image)));
    return terminal.print(JSON.stringify(views));
  }
  const rows = images.map((image) => {
    if ('damage' in image) return [image.name, '-', '-', '-', `damaged: ${image.damage}`];
    const { name, bytes, hasAgent, createdAt, source } = image;
    return [name, mebibytes(bytes), hasAgent ? 'yes' : 'no', createdAt, source];
  });
  terminal.print(table(['IMAGE', 'SIZE', 'AGENT', 'MADE', 'SOURCE'], rows));
}

/** What was made, and how to go on. */
export function printMade({ terminal, options }: CommandCall, image: StoredImage): void {
  if (options['json'] === true) return terminal.print(JSON.stringify(imageView(image)));
  terminal.print(`made ${image.name}: ${mebibytes(image.bytes)}, ${image.source}`);
  terminal.print(`run it: polyvisor run ${image.name}`);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

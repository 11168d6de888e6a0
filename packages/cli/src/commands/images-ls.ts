import { listImages } from '@polyvisor/images/image-store';
import type { CommandCall } from '../command.ts';
import { homeDirectory } from '@polyvisor/host/home-directory';
import { printImages } from '../print-images.ts';

export async function run(call: CommandCall): Promise<void> {
  printImages(call, listImages(homeDirectory()));
}

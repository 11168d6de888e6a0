import { HostError } from '@polyvisor/errors/host-error';
import type { ImageFinder } from './linux-options.ts';

/** Images of the user's own store. */
export const findImage: ImageFinder = (name) => {
  throw new HostError('no-image', `there is no image '${name}'`, 'give a kernel and an initrd');
};

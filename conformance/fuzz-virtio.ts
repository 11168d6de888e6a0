import { fuzzVirtio } from '@polyvisor/board/testing/fuzz-virtio';
import type { Fuzz } from './fuzz.ts';

/** Malformed virtqueues to every virtio device. */
export const fuzz: Fuzz = {
  summary: 'virtqueues with anything in them; no device throws, and each serves after a reset',
  run: async ({ seed, n }) => ({ ...fuzzVirtio(seed, n) }),
};

import { fuzzRegisters } from '@polyvisor/board/testing/fuzz-registers';
import { fuzzVirtio } from '@polyvisor/board/testing/fuzz-virtio';
import type { Fuzz } from './fuzz.ts';

/** A hostile guest before the board's devices. */
export const fuzz: Fuzz = {
  summary: 'malformed virtqueues, and any access to any register: no device throws, each serves on',
  run: async ({ seed, n }) => {
    const { accesses } = fuzzRegisters(seed, n);
    return { ...fuzzVirtio(seed, n), accesses };
  },
};

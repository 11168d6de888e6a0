/**
 * The floors of the house: a package imports from its own floor or from those below, never upward.
 * ARCHITECTURE.md says what each package owns.
 */
export const floors: readonly (readonly string[])[] = [
  /* 0 ground   */ ['errors', 'bytes', 'wasm', 'math', 'crypto', 'codec'],
  /* 1 matter   */ ['memory', 'isa', 'store', 'disk', 'net'],
  /* 2 engines  */ ['machine', 'evm', 'riscv'],
  /* 3 machines */ ['eth', 'board'],
  /* 4 doors    */ ['rpc', 'rpc-eth'],
  /* 5 host     */ ['images', 'host'],
  /* 6 faces    */ ['cli', 'console', 'vitest', 'polyvisor'],
];

/** Floor of a package, by the name of its folder; -1 for one that has none. */
export function floorOf(folder: string): number {
  return floors.findIndex((packages) => packages.includes(folder));
}

/**
 * What a module may have at most. Engines refuse more; the numbers are those that browsers agreed on, so that a module
 * within them runs everywhere. @see WebAssembly JavaScript Interface, "Implementation-defined Limits"
 */
export const moduleLimits = {
  moduleBytes: 1 << 30,
  types: 1_000_000,
  functions: 1_000_000,
  imports: 1_000_000,
  exports: 1_000_000,
  globals: 1_000_000,
  tables: 100_000,
  memories: 100,
  elementSegments: 10_000_000,
  elementsPerSegment: 10_000_000,
  dataSegments: 100_000,
  tableElements: 10_000_000,
  memoryPages: 65_536,
  functionBytes: 7_654_321,
  locals: 50_000,
  parameters: 1_000,
  results: 1_000,
  branchLabels: 65_520,
  nameBytes: 100_000,
  /** Values on a function's operand stack while it is checked: our own, for calls multiply them. */
  operands: 1_000_000,
} as const;

import { baseFunctions } from './base.ts';
import { consoleFunctions } from './console.ts';
import { fenceFunctions } from './fence.ts';
import type { SbiFunction } from './function.ts';
import { hartFunctions } from './hart.ts';
import { interruptFunctions } from './interrupt.ts';
import { resetFunctions } from './reset.ts';

const extensions: readonly SbiFunction[] = [
  ...interruptFunctions,
  ...fenceFunctions,
  ...hartFunctions,
  ...resetFunctions,
  ...consoleFunctions,
];

/** All that the board's M-mode answers; what isn't here is "not supported". */
export const sbiFunctions: readonly SbiFunction[] = [
  ...baseFunctions(extensions.map((row) => row.extension)),
  ...extensions,
];

import { SBI_NOT_SUPPORTED, type SbiArguments, type SbiBoard } from './function.ts';
import { sbiFunctions } from './functions.ts';

const A0 = 10;
const A1 = 11;
const A6 = 16;
const A7 = 17;

/**
 * The extension of a7, the function of a6; error and value go to a0 and a1 (section 3, "Binary
 * Encoding").
 */
export function serveSbi(board: SbiBoard): void {
  const { processor } = board;
  const extension = Number(BigInt.asUintN(32, processor.x(A7)));
  const id = Number(BigInt.asUintN(32, processor.x(A6)));
  const args = Array.from({ length: 6 }, (_, i) => processor.x(A0 + i));
  const found = sbiFunctions.find((row) => row.extension === extension && row.id === id);
  const result = found?.serve(board, args as unknown as SbiArguments);
  const { error, value = 0n } = result ?? { error: SBI_NOT_SUPPORTED };
  processor.setX(A0, BigInt.asUintN(64, BigInt(error)));
  processor.setX(A1, BigInt.asUintN(64, value));
}

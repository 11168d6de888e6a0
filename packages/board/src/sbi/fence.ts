import { csrNumbers } from '@polyvisor/riscv/csr-numbers';
import { selectsHart } from './hart-mask.ts';
import { SBI_INVALID_PARAMETER, SBI_SUCCESS, type SbiBoard, type SbiFunction } from './function.ts';

const RFENCE = 0x5246_4e43;

/** The other functions are for hypervisors. */
export const fenceFunctions: readonly SbiFunction[] = [
  // The hart notices itself when code is written.
  row(0, 'remote_fence_i', '8.1', () => {}),
  row(1, 'remote_sfence_vma', '8.2', flushTranslations),
  row(2, 'remote_sfence_vma_asid', '8.3', flushTranslations),
];

function row(
  id: number,
  name: string,
  section: string,
  fence: (board: SbiBoard) => void,
): SbiFunction {
  return {
    extension: RFENCE,
    id,
    name,
    section,
    serve: (board, [mask, base]) => {
      if (!selectsHart(mask, base)) return { error: SBI_INVALID_PARAMETER };
      fence(board);
      return { error: SBI_SUCCESS };
    },
  };
}

/**
 * Ranges and address spaces narrow a fence down, which may do more. A write of `satp`, even of what
 * it was, drops all translations.
 */
function flushTranslations({ processor }: SbiBoard): void {
  processor.setCsr(csrNumbers.satp, processor.csr(csrNumbers.satp)!);
}

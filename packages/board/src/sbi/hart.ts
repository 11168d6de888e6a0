import {
  SBI_ALREADY_AVAILABLE,
  SBI_FAILED,
  SBI_INVALID_PARAMETER,
  SBI_NOT_SUPPORTED,
  SBI_SUCCESS,
  type SbiFunction,
} from './function.ts';

const HSM = 0x48_534d;
const STARTED = 0n;
/** Suspend types: those with bit 31 lose the hart's state. */
const RETENTIVE_DEFAULT = 0n;

/** The board has one hart, number 0, which is always started. */
export const hartFunctions: readonly SbiFunction[] = [
  {
    extension: HSM,
    id: 0,
    name: 'hart_start',
    section: '9.1',
    serve: (_, [hart]) => ({ error: hart === 0n ? SBI_ALREADY_AVAILABLE : SBI_INVALID_PARAMETER }),
  },
  // The last hart does not stop: nobody could start it again.
  {
    extension: HSM,
    id: 1,
    name: 'hart_stop',
    section: '9.2',
    serve: () => ({ error: SBI_FAILED }),
  },
  {
    extension: HSM,
    id: 2,
    name: 'hart_get_status',
    section: '9.3',
    serve: (_, [hart]) =>
      hart === 0n ? { error: SBI_SUCCESS, value: STARTED } : { error: SBI_INVALID_PARAMETER },
  },
  {
    extension: HSM,
    id: 3,
    name: 'hart_suspend',
    section: '9.4',
    // It may come back at once; the guest then waits by WFI.
    serve: (_, [type]) => ({ error: type === RETENTIVE_DEFAULT ? SBI_SUCCESS : SBI_NOT_SUPPORTED }),
  },
];

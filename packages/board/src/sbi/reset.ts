import { SBI_INVALID_PARAMETER, SBI_SUCCESS, type SbiFunction } from './function.ts';

const SRST = 0x5352_5354;
const SHUTDOWN = 0n;
const COLD_REBOOT = 1n;
const WARM_REBOOT = 2n;
const NO_REASON = 0n;
const SYSTEM_FAILURE = 1n;

export const resetFunctions: readonly SbiFunction[] = [
  {
    extension: SRST,
    id: 0,
    name: 'system_reset',
    section: '10.1',
    serve: (board, [type, reason]) => {
      if (reason !== NO_REASON && reason !== SYSTEM_FAILURE) {
        return { error: SBI_INVALID_PARAMETER };
      }
      if (type === COLD_REBOOT || type === WARM_REBOOT) board.end({ kind: 'reset' });
      else if (type !== SHUTDOWN) return { error: SBI_INVALID_PARAMETER };
      else if (reason === SYSTEM_FAILURE) board.end({ kind: 'failure', code: 1 });
      else board.end({ kind: 'poweroff' });
      return { error: SBI_SUCCESS };
    },
  },
];

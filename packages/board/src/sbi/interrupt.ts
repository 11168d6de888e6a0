import { selectsHart } from './hart-mask.ts';
import { SBI_INVALID_PARAMETER, SBI_SUCCESS, type SbiFunction } from './function.ts';

const TIME = 0x5449_4d45;
const IPI = 0x73_5049;

export const interruptFunctions: readonly SbiFunction[] = [
  {
    extension: TIME,
    id: 0,
    name: 'set_timer',
    section: '6.1',
    // A time so far off that a number can't tell it apart never comes.
    serve: (board, [ticks]) => {
      board.setTimer(ticks > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(ticks));
      return { error: SBI_SUCCESS };
    },
  },
  {
    extension: IPI,
    id: 0,
    name: 'send_ipi',
    section: '7.1',
    serve: ({ processor }, [mask, base]) => {
      if (!selectsHart(mask, base)) return { error: SBI_INVALID_PARAMETER };
      processor.raiseSoftware();
      return { error: SBI_SUCCESS };
    },
  },
];

import {
  SBI_INVALID_PARAMETER,
  SBI_SUCCESS,
  type SbiBoard,
  type SbiFunction,
  type SbiResult,
} from './function.ts';

const DBCN = 0x4442_434e;
/** A call takes at most this much; the guest comes again for the rest. */
export const CONSOLE_CALL_BYTES_MAX = 4096;

export const consoleFunctions: readonly SbiFunction[] = [
  {
    extension: DBCN,
    id: 0,
    name: 'console_write',
    section: '12.1',
    serve: (board, [length, low, high]) => {
      const bytes = memory(board, length, low, high);
      return bytes ? give(board.writeConsole(bytes)) : { error: SBI_INVALID_PARAMETER };
    },
  },
  {
    extension: DBCN,
    id: 1,
    name: 'console_read',
    section: '12.2',
    serve: (board, [length, low, high]) => {
      const room = memory(board, length, low, high);
      if (!room) return { error: SBI_INVALID_PARAMETER };
      const bytes = board.readConsole(room.length);
      room.set(bytes);
      board.ram.written(Number(low), bytes.length);
      return give(bytes.length);
    },
  },
  {
    extension: DBCN,
    id: 2,
    name: 'console_write_byte',
    section: '12.3',
    serve: (board, [byte]) => {
      board.writeConsole(Uint8Array.of(Number(byte & 0xffn)));
      return give(0);
    },
  },
];

function give(value: number): SbiResult {
  return { error: SBI_SUCCESS, value: BigInt(value) };
}

/** RAM at a physical address of two halves; undefined where it is none. */
function memory(
  board: SbiBoard,
  length: bigint,
  low: bigint,
  high: bigint,
): Uint8Array | undefined {
  if (high !== 0n || board.ram.bytes(Number(low), Number(length)) === undefined) return undefined;
  return board.ram.bytes(Number(low), Math.min(Number(length), CONSOLE_CALL_BYTES_MAX));
}

import { RAM_BASE, UART_BASE } from '../layout.ts';
import { Assembler, a0, a1, t0, t1, t2, zero } from './assembler.ts';

const LINE_STATUS = 5;
const DATA_READY = 1;
const SIE = 0x104;
const TIMER_ENABLE = 0x20;
const TIME = 0xc01;
const SBI_TIMER = 0x5449_4d45;
const SBI_RESET = 0x5352_5354;
/** A millisecond. */
const POLL_TICKS = 10_000;
/** Registers that no call changes. */
const s1 = 9;
const s2 = 18;

/**
 * A program in supervisor mode with a state: it says `ok`, and answers each byte that is typed with that byte and how
 * many there were so far, as one digit. `q` turns the computer off, `r` resets it. In between it waits for its timer.
 */
export function countingProgram(): Uint8Array {
  const code = new Assembler(RAM_BASE).li(s2, UART_BASE).li(s1, 0);
  const put = (): void => void code.op('sb', { rs1: s2, rs2: a0, imm: 0 });
  for (const character of 'ok\n') {
    code.li(a0, character.charCodeAt(0));
    put();
  }
  code.li(t0, TIMER_ENABLE).op('csrrw', { rd: zero, rs1: t0, imm: SIE });
  code.label('poll').op('lbu', { rd: t0, rs1: s2, imm: LINE_STATUS });
  code.op('andi', { rd: t0, rs1: t0, imm: DATA_READY });
  code.jump('bne', { rs1: t0, rs2: zero }, 'typed');
  code.op('csrrs', { rd: a0, rs1: zero, imm: TIME }).li(t0, POLL_TICKS);
  code.op('add', { rd: a0, rs1: a0, rs2: t0 }).sbi(SBI_TIMER, 0).op('wfi');
  code.jump('jal', { rd: zero }, 'poll');
  code.label('typed').op('lbu', { rd: a0, rs1: s2, imm: 0 });
  for (const [key, type] of [
    ['q', 0],
    ['r', 1],
  ] as const) {
    code.li(t1, key.charCodeAt(0)).jump('bne', { rs1: a0, rs2: t1 }, `not-${key}`);
    code.li(a0, type).li(a1, 0).sbi(SBI_RESET, 0);
    code.label(`not-${key}`);
  }
  put();
  code.op('addi', { rd: s1, rs1: s1, imm: 1 }).op('andi', { rd: t2, rs1: s1, imm: 7 });
  code.op('addi', { rd: a0, rs1: t2, imm: 48 });
  put();
  return code.jump('jal', { rd: zero }, 'poll').elf();
}

import type { RunResult } from '@polyvisor/machine/machine';
import { describe, expect, test } from 'vitest';
import {
  type ComputerMachine,
  type ComputerOptions,
  createComputer,
  restoreComputer,
} from './machine.ts';
import { RAM_BASE, SYSCON_BASE, UART_BASE } from './layout.ts';
import { CONSOLE_CALL_BYTES_MAX } from './sbi/console.ts';
import { SBI_INVALID_PARAMETER, SBI_NOT_SUPPORTED } from './sbi/function.ts';
import { Assembler, a0, a1, a2, t0, t1, t2, zero } from './testing/assembler.ts';
import { VirtioRng } from './virtio/rng.ts';

const OPTIONS: ComputerOptions = { ramBytes: 2 ** 22, time: 'steps' };
const DBCN = 0x4442_434e;
const TIME = 0x5449_4d45;
const SRST = 0x5352_5354;
const BASE = 0x10;
const SSTATUS = 0x100;
const SIE = 0x104;
const STVEC = 0x105;
const SCAUSE = 0x142;
const STIMECMP = 0x14d;
const CSR_TIME = 0xc01;

const program = () => new Assembler(RAM_BASE);
const powerOff = (code: Assembler) => code.li(a0, 0).li(a1, 0).sbi(SRST, 0);
const start = (code: Assembler, options = OPTIONS, mode: 'supervisor' | 'machine' = 'supervisor') =>
  createComputer(options, { kind: 'program', file: code.elf(), mode });
const text = (computer: ComputerMachine) => new TextDecoder().decode(computer.takeSerialOutput());
function runToEnd(computer: ComputerMachine): RunResult {
  for (;;) {
    const result = computer.run(100_000);
    if (result.reason !== 'budget') return result;
  }
}
/** Prints the lowest digit of a register. */
const printDigit = (code: Assembler, register: number) =>
  code
    .op('andi', { rd: a0, rs1: register, imm: 7 })
    .op('addi', { rd: a0, rs1: a0, imm: 48 })
    .sbi(DBCN, 2);

test('a program in supervisor mode writes by the firmware and powers off', () => {
  using computer = start(powerOff(program().li(a0, 0x48).sbi(DBCN, 2)));
  expect(runToEnd(computer).reason).toBe('halt');
  expect(computer.end).toEqual({ kind: 'poweroff' });
  expect(text(computer)).toBe('H');
});

test('a program in machine mode has the hart for itself, and the serial port', () => {
  const code = program()
    .op('csrrs', { rd: t0, imm: 0xf14, rs1: zero })
    .li(t1, UART_BASE)
    .op('addi', { rd: t2, rs1: t0, imm: 0x4d })
    .op('sb', { rs1: t1, rs2: t2, imm: 0 })
    .li(t1, SYSCON_BASE)
    .li(t2, 0x7777)
    .op('sw', { rs1: t1, rs2: t2, imm: 0 });
  using computer = start(code, OPTIONS, 'machine');
  runToEnd(computer);
  expect(computer.end).toEqual({ kind: 'reset' });
  expect(text(computer)).toBe('M');
});

describe('the firmware', () => {
  test.each([
    ['get_spec_version', BASE, 0, [], 0, 0x200_0000],
    ['probe_extension of DBCN', BASE, 3, [DBCN], 0, 1],
    ['probe_extension of the base', BASE, 3, [BASE], 0, 1],
    ['probe_extension of nothing', BASE, 3, [0x1234], 0, 0],
    ['get_mvendorid', BASE, 4, [], 0, 0],
    ['send_ipi to hart 1', 0x73_5049, 0, [2, 0], SBI_INVALID_PARAMETER, 0],
    ['remote_fence_i', 0x5246_4e43, 0, [1, 0], 0, 0],
    ['remote_sfence_vma', 0x5246_4e43, 1, [1, 0, 0, 0], 0, 0],
    ['remote_sfence_vma of hart 3', 0x5246_4e43, 1, [8, 0, 0, 0], SBI_INVALID_PARAMETER, 0],
    ['remote_hfence_gvma', 0x5246_4e43, 4, [1, 0], SBI_NOT_SUPPORTED, 0],
    ['hart_start of hart 0', 0x48_534d, 0, [0], -6, 0],
    ['hart_stop', 0x48_534d, 1, [], -1, 0],
    ['hart_get_status of hart 0', 0x48_534d, 2, [0], 0, 0],
    ['hart_get_status of hart 1', 0x48_534d, 2, [1], SBI_INVALID_PARAMETER, 0],
    ['hart_suspend', 0x48_534d, 3, [0], 0, 0],
    ['system_reset of type 9', SRST, 0, [9, 0], SBI_INVALID_PARAMETER, 0],
    ['system_reset for reason 9', SRST, 0, [0, 9], SBI_INVALID_PARAMETER, 0],
    ['console_write outside RAM', DBCN, 0, [4, 0x1000, 0], SBI_INVALID_PARAMETER, 0],
    ['console_read into RAM', DBCN, 1, [4, RAM_BASE + 0x1000, 0], 0, 0],
    ['an extension that is not there', 0x999, 0, [], SBI_NOT_SUPPORTED, 0],
  ])('%s', (_, extension, id, args, error, value) => {
    const code = program();
    args.forEach((argument, i) => code.li(a0 + i, argument));
    code.sbi(extension, id).li(t0, RAM_BASE + 0x2000);
    code.op('sd', { rs1: t0, rs2: a0, imm: 0 }).op('sd', { rs1: t0, rs2: a1, imm: 8 });
    // What it came to is written where the test finds it: on the console, sixteen bytes.
    powerOff(
      code
        .li(a0, 16)
        .li(a1, RAM_BASE + 0x2000)
        .li(a2, 0)
        .sbi(DBCN, 0),
    );
    using computer = start(code);
    runToEnd(computer);
    const view = new DataView(computer.takeSerialOutput().buffer);
    expect([view.getBigInt64(0, true), view.getBigInt64(8, true)]).toEqual([
      BigInt(error),
      BigInt(value),
    ]);
  });

  test.each([
    [0, 1, { kind: 'failure', code: 1 }],
    [1, 0, { kind: 'reset' }],
    [2, 0, { kind: 'reset' }],
  ])('system_reset %i for reason %i', (type, reason, end) => {
    using computer = start(program().li(a0, type).li(a1, reason).sbi(SRST, 0));
    expect(runToEnd(computer).reason).toBe('halt');
    expect(computer.end).toEqual(end);
  });

  test.each([
    [CONSOLE_CALL_BYTES_MAX - 1, CONSOLE_CALL_BYTES_MAX - 1],
    [CONSOLE_CALL_BYTES_MAX, CONSOLE_CALL_BYTES_MAX],
    [CONSOLE_CALL_BYTES_MAX + 1, CONSOLE_CALL_BYTES_MAX],
  ])('of %i bytes, console_write writes %i', (length, written) => {
    const code = program()
      .li(a0, length)
      .li(a1, RAM_BASE + 0x2000)
      .li(a2, 0)
      .sbi(DBCN, 0);
    using computer = start(powerOff(code));
    runToEnd(computer);
    expect(computer.takeSerialOutput()).toHaveLength(written);
  });

  test('leaves the counters open to programs, whose kernel may not know them', () => {
    const code = program().op('csrrs', { rd: t1, imm: 0x106, rs1: zero });
    using computer = start(powerOff(printDigit(code, t1)));
    runToEnd(computer);
    expect(text(computer)).toBe('7');
  });

  test('an IPI to oneself is a software interrupt', () => {
    const code = program()
      .la(t0, 'trap')
      .op('csrrw', { rd: zero, imm: STVEC, rs1: t0 })
      .li(t0, 2)
      .op('csrrw', { rd: zero, imm: SIE, rs1: t0 })
      .op('csrrw', { rd: zero, imm: SSTATUS, rs1: t0 })
      .li(a0, 1)
      .li(a1, 0)
      .sbi(0x73_5049, 0)
      .label('wait')
      .jump('jal', { rd: zero }, 'wait')
      .label('trap')
      .op('csrrs', { rd: t1, imm: SCAUSE, rs1: zero });
    powerOff(printDigit(code, t1));
    using computer = start(code);
    runToEnd(computer);
    expect(text(computer)).toBe('1');
  });
});

/** Waits for 1000 ticks by `set_timer`, then prints a digit for the cause and powers off. */
function sleeper(): Assembler {
  const code = program()
    .la(t0, 'trap')
    .op('csrrw', { rd: zero, imm: STVEC, rs1: t0 })
    .li(t0, 0x20)
    .op('csrrw', { rd: zero, imm: SIE, rs1: t0 })
    .li(t0, 2)
    .op('csrrw', { rd: zero, imm: SSTATUS, rs1: t0 })
    .op('csrrs', { rd: a0, imm: CSR_TIME, rs1: zero })
    .op('addi', { rd: a0, rs1: a0, imm: 1000 })
    .sbi(TIME, 0)
    .label('wait')
    .op('wfi')
    .jump('jal', { rd: zero }, 'wait')
    .label('trap')
    .op('csrrs', { rd: t1, imm: SCAUSE, rs1: zero });
  return powerOff(printDigit(code, t1));
}

describe('time', () => {
  test('of steps jumps to where the guest waits for', () => {
    using computer = start(sleeper());
    expect(runToEnd(computer).reason).toBe('halt');
    expect(text(computer)).toBe('5');
    expect(computer.ticks).toBeGreaterThanOrEqual(1000);
    expect(computer.usage().work).toBeLessThan(1000n);
  });

  test('of the host has it idle until the host says that it is time', () => {
    using computer = start(sleeper(), { ...OPTIONS, time: 'host' });
    expect(runToEnd(computer).reason).toBe('idle');
    const { wakesAt } = computer;
    expect(wakesAt).toBeGreaterThanOrEqual(1000);
    computer.moveTo(wakesAt - 1);
    expect(runToEnd(computer).reason).toBe('idle');
    computer.moveTo(wakesAt);
    expect(runToEnd(computer).reason).toBe('halt');
    expect(text(computer)).toBe('5');
  });

  test.each(['steps', 'host'] as const)('of %s: timers that are masked wake nobody', (time) => {
    const code = program()
      .op('csrrs', { rd: a0, imm: CSR_TIME, rs1: zero })
      .op('addi', { rd: a0, rs1: a0, imm: 1000 })
      .op('csrrw', { rd: zero, imm: STIMECMP, rs1: a0 })
      .op('addi', { rd: a0, rs1: a0, imm: 1000 })
      .sbi(TIME, 0)
      .label('wait')
      .op('wfi')
      .jump('jal', { rd: zero }, 'wait');
    using computer = start(code, { ...OPTIONS, time });
    expect(computer.run(100_000).reason).toBe('idle');
    for (let i = 0; i < 2 && computer.wakesAt < Infinity; i++) {
      computer.moveTo(computer.wakesAt);
      expect(computer.run(100_000).reason).toBe('idle');
    }
    expect(computer.run(100_000)).toEqual({ reason: 'idle', used: 0 });
    expect(computer.wakesAt).toBe(Infinity);
    expect(computer.ticks).toBeGreaterThanOrEqual(2000);
  });

  test('does not go back', () => {
    using computer = start(sleeper(), { ...OPTIONS, time: 'host' });
    computer.moveTo(500);
    computer.moveTo(400);
    expect(computer.ticks).toBe(500);
  });

  test('is the same however the steps are divided', () => {
    const ends = [1, 7, 100_000].map((budget) => {
      using computer = start(sleeper());
      while (computer.run(budget).reason !== 'halt');
      return [computer.ticks, computer.usage().work];
    });
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });
});

/** Prints what is typed, a digit more each, until 7. */
function echo(): Assembler {
  const code = program()
    .li(t0, UART_BASE)
    .label('wait')
    .op('lbu', { rd: t1, rs1: t0, imm: 5 })
    .op('andi', { rd: t1, rs1: t1, imm: 1 })
    .jump('beq', { rs1: t1, rs2: zero }, 'wait')
    .op('lbu', { rd: t1, rs1: t0, imm: 0 })
    .op('addi', { rd: t1, rs1: t1, imm: 1 })
    .op('sb', { rs1: t0, rs2: t1, imm: 0 })
    .li(t2, 0x37)
    .jump('bne', { rs1: t1, rs2: t2 }, 'wait');
  return powerOff(code);
}
const type = (computer: ComputerMachine, typed: string) =>
  computer.serialInput(new TextEncoder().encode(typed));

describe('a saved computer', () => {
  test('goes on in another, and in itself', () => {
    using origin = start(echo());
    type(origin, '01');
    expect(origin.run(10_000).reason).toBe('budget');
    expect(text(origin)).toBe('12');
    type(origin, '3');
    const saved = origin.save();
    using _ = saved;
    using fork = restoreComputer(OPTIONS, saved);
    type(fork, '6');
    type(origin, '46');
    expect([runToEnd(fork).reason, runToEnd(origin).reason]).toEqual(['halt', 'halt']);
    expect([text(fork), text(origin)]).toEqual(['47', '457']);
  });

  test('is gone back to in place, as often as one likes, with the code that was known', () => {
    using origin = start(echo());
    type(origin, '01');
    origin.run(10_000);
    expect(text(origin)).toBe('12');
    using saved = origin.save();
    const digest = origin.digest();
    for (const typed of ['46', '5678', '7']) {
      type(origin, typed);
      origin.run(10_000);
      origin.goBack(OPTIONS, saved);
      expect(origin.end).toBeUndefined();
      expect(origin.digest()).toEqual(digest);
      expect(text(origin)).toBe('');
    }
    type(origin, '24');
    origin.run(10_000);
    expect(text(origin)).toBe('35');
  });

  test('is not gone back to by one that was saved since, or is another', () => {
    using origin = start(echo());
    using saved = origin.save();
    using other = start(echo());
    expect(other.canGoBack(saved)).toBe(false);
    type(origin, '0');
    origin.run(10_000);
    using later = origin.save();
    expect(origin.canGoBack(saved)).toBe(false);
    expect(origin.canGoBack(later)).toBe(true);
    using fork = restoreComputer(OPTIONS, saved);
    fork.run(10_000);
    expect(fork.canGoBack(saved)).toBe(true);
  });

  test('is refused by one with other devices, and where it is damaged', () => {
    using origin = start(echo(), { ...OPTIONS, pciDevices: [new VirtioRng()] });
    const saved = origin.save();
    using _ = saved;
    expect(() => restoreComputer(OPTIONS, saved)).toThrow('saved state');
    const cut = { ...saved, state: saved.state.subarray(0, 100) };
    const options = { ...OPTIONS, pciDevices: [new VirtioRng()] };
    expect(() => restoreComputer(options, cut)).toThrow('saved state');
    restoreComputer(options, saved)[Symbol.dispose]();
  });
});

describe('limits', () => {
  test.each([
    [3, 'budget'],
    [2, 'idle'],
    [1, 'idle'],
  ])('with room for %i bytes of output, two bytes make it %s', (serialOutputBytesMax, reason) => {
    using computer = start(echo(), { ...OPTIONS, serialOutputBytesMax });
    type(computer, '01');
    let result = computer.run(5000);
    if (result.reason === 'budget') result = computer.run(5000);
    expect(result.reason).toBe(reason);
    const first = text(computer);
    computer.run(5000);
    expect(first + text(computer)).toBe('12');
  });

  test('images that do not fit are refused', () => {
    const far = new Assembler(RAM_BASE + 2 ** 22 - 4).op('wfi').op('wfi');
    expect(() => start(far)).toThrow('not all RAM');
    const kernel = new Uint8Array(4096);
    new DataView(kernel.buffer).setBigUint64(8, 0x20_0000n, true);
    new DataView(kernel.buffer).setBigUint64(16, 0x20_0000n, true);
    kernel.set(new TextEncoder().encode('RSC\x05'), 56);
    expect(() => createComputer(OPTIONS, { kind: 'linux', kernel })).toThrow('too few');
  });

  test('a bus has so many slots', () => {
    const mmioDevices = Array.from({ length: 9 }, () => new VirtioRng());
    expect(() => start(echo(), { ...OPTIONS, mmioDevices })).toThrow('8 slots');
    const pciDevices = Array.from({ length: 33 }, () => new VirtioRng());
    expect(() => start(echo(), { ...OPTIONS, pciDevices })).toThrow('32 slots');
    start(echo(), { ...OPTIONS, mmioDevices: mmioDevices.slice(1) })[Symbol.dispose]();
    start(echo(), { ...OPTIONS, pciDevices: pciDevices.slice(1) })[Symbol.dispose]();
  });
});

test('a page that the guest gives away is zeroed, and what is no RAM is let be', () => {
  const code = program()
    .li(t0, RAM_BASE + 0x2000)
    .li(t1, 5)
    .op('sd', { rs1: t0, rs2: t1, imm: 0 })
    .li(t2, UART_BASE)
    .label('wait')
    .op('lbu', { rd: t1, rs1: t2, imm: 5 })
    .op('andi', { rd: t1, rs1: t1, imm: 1 })
    .jump('beq', { rs1: t1, rs2: zero }, 'wait')
    .op('ld', { rd: t1, rs1: t0, imm: 0 });
  using computer = start(powerOff(printDigit(code, t1)));
  expect(computer.run(1000).reason).toBe('budget');
  computer.releasePage(RAM_BASE + 0x2000);
  computer.releasePage(0x2000);
  type(computer, '!');
  runToEnd(computer);
  expect(text(computer)).toBe('0');
});

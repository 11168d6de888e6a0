import { describe, expect, test } from 'vitest';
import { Hart } from './hart.ts';
import { type Line, RAM_BASE, RAM_BYTES, SmallHart } from './testing/small-hart.ts';

const [MSTATUS, MIE, MTVEC, MEPC, MCAUSE, MTVAL, MIP] = [
  0x300, 0x304, 0x305, 0x341, 0x342, 0x343, 0x344,
];
const [SSTATUS, SIE, STVEC, SEPC, SCAUSE, STVAL, STIMECMP, SATP] = [
  0x100, 0x104, 0x105, 0x141, 0x142, 0x143, 0x14d, 0x180,
];
const INSTRET = 0xb02;
const HANDLER = RAM_BASE + 0x800;
const DATA = RAM_BASE + 0x2000;
const DEVICE = 0x1000_0000;
const STOP = 0x1000_f000;
const LOOP: Line = ['jal', { rd: 0, imm: 0 }];
/** Both tiers; the second compiles at the first landing. */
const tiers = [Infinity, 1];

function trap(program: readonly Line[], options = {}): SmallHart {
  const small = new SmallHart(program, options);
  small.hart.setCsr(MTVEC, BigInt(HANDLER));
  small.put(HANDLER, [LOOP]);
  return small;
}

describe('budget', () => {
  test.for(tiers)('a run takes exactly its budget, hot after %s', (hotLandings) => {
    const count: Line[] = [
      ['addi', { rd: 1, rs1: 1, imm: 1 }],
      ['addi', { rd: 2, rs1: 2, imm: 2 }],
      ['jal', { rd: 0, imm: -8 }],
    ];
    const whole = new SmallHart(count, { hotLandings });
    const sliced = new SmallHart(count, { hotLandings });
    expect(whole.hart.run(1000)).toEqual({ used: 1000, reason: 'budget' });
    for (let left = 1000, slice = 1; left > 0; slice = (slice * 7) % 31) {
      const { used } = sliced.hart.run(Math.min(slice, left));
      expect(used).toBe(Math.min(slice, left));
      left -= used;
    }
    expect(sliced.hart.save()).toEqual(whole.hart.save());
    expect(whole.hart.steps).toBe(1000);
    expect(whole.hart.csr(INSTRET)).toBe(999n);
    expect(whole.hart.x(1)).toBe(334n);
  });

  test('a trap is a step, and retires nothing', () => {
    const { hart } = trap([['addi'], ['ecall']]);
    hart.run(3);
    expect(hart.pc).toBe(BigInt(HANDLER));
    expect(hart.csr(MCAUSE)).toBe(11n);
    expect(hart.steps).toBe(3);
    expect(hart.csr(INSTRET)).toBe(1n);
  });

  test('a device ends the run behind the store', () => {
    const { hart } = new SmallHart([['sw', { rs1: 1, rs2: 0 }], LOOP]);
    hart.setX(1, BigInt(STOP));
    expect(hart.run(1000)).toEqual({ used: 1, reason: 'halt' });
    expect(hart.pc).toBe(BigInt(RAM_BASE + 4));
  });
});

describe('exceptions', () => {
  const at = BigInt(RAM_BASE);
  const cases: readonly (readonly [string, Line, cause: bigint, value: bigint])[] = [
    ['an illegal instruction', 0xffff_ffff, 2n, 0xffff_ffffn],
    ['an illegal instruction of 16 bits', 0x0000, 2n, 0n],
    ['floating point that is off', ['fadd.s', {}], 2n, 0x53n],
    ['a register that is not there', ['csrrw', { imm: 0x7ff }], 2n, 0x7ff0_1073n],
    ['a write to a register that is only read', ['csrrw', { imm: 0xf11 }], 2n, 0xf110_1073n],
    ['ebreak', ['ebreak'], 3n, at],
    ['a load from nowhere', ['lw', { rs1: 0, imm: 16 }], 5n, 16n],
    ['a store to nowhere', ['sw', { rs1: 0, imm: 16 }], 7n, 16n],
    ['a misaligned atomic load', ['lr.w', { rs1: 2 }], 4n, 0x8000_2001n],
    ['a misaligned atomic store', ['amoadd.d', { rs1: 2 }], 6n, 0x8000_2001n],
    ['an atomic access to a device', ['amoadd.w', { rs1: 1 }], 7n, BigInt(DEVICE)],
    ['a misaligned access to a device', ['lw', { rs1: 1, imm: 2 }], 5n, BigInt(DEVICE + 2)],
  ];
  test.for(cases)('%s', ([, line, cause, value]) => {
    const { hart } = trap([line]);
    hart.setX(1, BigInt(DEVICE));
    hart.setX(2, BigInt(DATA + 1));
    hart.run(1);
    expect([MCAUSE, MEPC, MTVAL].map((number) => hart.csr(number))).toEqual([cause, at, value]);
    expect(hart.pc).toBe(BigInt(HANDLER));
  });

  test('a jump to nowhere faults at its target', () => {
    const { hart } = trap([['jalr', { rs1: 0, imm: 4 }]]);
    hart.run(2);
    expect([MCAUSE, MEPC, MTVAL].map((number) => hart.csr(number))).toEqual([1n, 4n, 4n]);
  });

  test('those delegated go to S mode, and sret comes back', () => {
    const small = trap([['mret'], ['ecall']]);
    const { hart } = small;
    const user = RAM_BASE + 4;
    hart.setCsr(0x302, 1n << 8n);
    hart.setCsr(0x3b0, (1n << 54n) - 1n);
    hart.setCsr(0x3a0, 0x1fn);
    hart.setCsr(MEPC, BigInt(user));
    hart.setCsr(STVEC, BigInt(HANDLER));
    small.put(HANDLER, [['sret']]);
    hart.run(2);
    expect([hart.pc, hart.privilege]).toEqual([BigInt(HANDLER), 1]);
    expect([SCAUSE, SEPC].map((number) => hart.csr(number))).toEqual([8n, BigInt(user)]);
    hart.run(1);
    expect([hart.pc, hart.privilege]).toEqual([BigInt(user), 0]);
  });
});

describe('memory', () => {
  test.for(tiers)('an access may lie across pages, hot after %s', (hotLandings) => {
    const small = new SmallHart(
      [
        ['jal', { rd: 0, imm: 4 }],
        ['sd', { rs1: 1, rs2: 2 }],
        ['ld', { rd: 3, rs1: 1 }],
      ],
      { hotLandings },
    );
    small.hart.setX(1, BigInt(DATA + 0xffb));
    small.hart.setX(2, 0x0102_0304_0506_0708n);
    small.hart.run(3);
    expect(small.hart.x(3)).toBe(0x0102_0304_0506_0708n);
    expect(small.ram[DATA + 0x1002 - RAM_BASE]).toBe(1);
  });

  test('an instruction may lie across pages', () => {
    const small = new SmallHart([]);
    small.put(RAM_BASE + 0xffe, [
      ['addi', { rd: 1, imm: 7 }],
      ['jal', { rd: 0, imm: -4 }],
    ]);
    small.hart.pc = BigInt(RAM_BASE + 0xffe);
    small.hart.run(5);
    expect(small.hart.x(1)).toBe(7n);
    expect(small.hart.pc).toBe(BigInt(RAM_BASE + 0x1002));
  });

  test.for(tiers)('code that is written is what runs next, hot after %s', (hotLandings) => {
    const small = new SmallHart(
      [
        ['addi', { rd: 1, rs1: 1, imm: 1 }],
        ['sw', { rs1: 2, rs2: 3, imm: 8 }],
        ['addi', { rd: 4, rs1: 4, imm: 1 }],
        ['jal', { rd: 0, imm: -12 }],
      ],
      { hotLandings },
    );
    small.hart.setX(2, BigInt(RAM_BASE));
    small.hart.setX(3, 0x0642_0213n); // addi x4, x4, 100
    small.hart.run(4 * 200);
    expect(small.hart.x(1)).toBe(200n);
    expect(small.hart.x(4)).toBe(20_000n);
  });

  test('what a device writes is seen once it is told', () => {
    const small = new SmallHart([
      ['addi', { rd: 1, imm: 1 }],
      ['jal', { rd: 0, imm: -4 }],
    ]);
    small.hart.run(100);
    small.put(RAM_BASE, [['addi', { rd: 1, imm: 2 }]]);
    small.hart.written(RAM_BASE, 4);
    small.hart.run(2);
    expect(small.hart.x(1)).toBe(2n);
  });

  test('devices are asked once, in sizes of 1 to 8 bytes', () => {
    const program: Line[] = [
      ['lb', { rd: 2, rs1: 1 }],
      ['lhu', { rd: 3, rs1: 1 }],
      ['lw', { rd: 4, rs1: 1 }],
      ['ld', { rd: 5, rs1: 1 }],
      ['sb', { rs1: 1, rs2: 6 }],
      ['sd', { rs1: 1, rs2: 6 }],
    ];
    const small = new SmallHart(program);
    small.hart.setX(1, BigInt(DEVICE));
    small.hart.setX(6, 0x1_2345_6789n);
    small.hart.run(program.length);
    expect([2, 3, 4, 5].map((register) => small.hart.x(register))).toEqual([
      0xffff_ffff_ffff_ff88n,
      0x8899n,
      0xffff_ffff_8899_aabbn,
      0x8877_6655_4433_2211n,
    ]);
    expect(small.log).toEqual([
      'load 1 10000000',
      'load 2 10000000',
      'load 4 10000000',
      'load 8 10000000',
      'store 1 10000000 89',
      'store 8 10000000 123456789',
    ]);
  });

  test.for(tiers)('a block is zeroed by code as by its reference, hot after %s', (hotLandings) => {
    const program: Line[] = [['jal', { rd: 0, imm: 4 }], ['cbo.zero', { rs1: 1 }], LOOP];
    const isKnown = [false, true];
    const rams = isKnown.map((isFilled) => {
      const small = new SmallHart(program, { hotLandings });
      small.ram.fill(0xaa, DATA - RAM_BASE);
      // The TLB has the page only behind a store.
      if (isFilled) small.put(RAM_BASE + 4, [['sb', { rs1: 1, rs2: 0 }]]);
      small.hart.setX(1, BigInt(DATA + 0xf43));
      small.hart.run(2);
      small.put(RAM_BASE + 4, [program[1]!]);
      small.hart.written(RAM_BASE + 4, 4);
      small.hart.pc = BigInt(RAM_BASE);
      small.hart.run(2);
      expect(small.hart.pc).toBe(BigInt(RAM_BASE + 8));
      return small.ram.slice(DATA - RAM_BASE, DATA - RAM_BASE + 0x2000);
    });
    expect(rams[0]).toEqual(new Uint8Array(0x2000).fill(0xaa).fill(0, 0xf40, 0xf80));
    expect(rams[1]).toEqual(rams[0]);
  });

  test.for([
    [0, 1n << 7n, 0n],
    [0, 0n, 1n << 7n],
    [1, 0n, 1n << 7n],
  ] as const)('mode %i may not zero blocks with %i and %i', ([mode, machine, supervisor]) => {
    const { hart } = trap([['cbo.zero', { rs1: 1 }]]);
    hart.setCsr(0x3b0, (1n << 54n) - 1n);
    hart.setCsr(0x3a0, 0x1fn);
    hart.setCsr(0x30a, machine);
    hart.setCsr(0x10a, supervisor);
    hart.privilege = mode;
    hart.setX(1, BigInt(DATA));
    hart.run(1);
    expect(hart.csr(MCAUSE)).toBe(2n);
  });

  test.for([1, 2, 3])('code of more pages than are kept runs, %i kept', (codePagesMax) => {
    const small = new SmallHart([], { codePagesMax });
    const pages = [0, 0x1000, 0x2000];
    for (const [i, page] of pages.entries()) {
      const next = pages[(i + 1) % 3]! - page;
      small.put(RAM_BASE + page, [
        ['addi', { rd: 1, rs1: 1, imm: 1 }],
        ['jal', { imm: next - 4 }],
      ]);
    }
    small.hart.run(600);
    expect(small.hart.x(1)).toBe(300n);
  });
});

describe('translation', () => {
  const ROOT = RAM_BASE + 0x10_000;
  const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n] as const;
  const entry = (address: number, bits: bigint): bigint => (BigInt(address) >> 2n) | bits;

  /** S mode with Sv39: RAM at its own addresses as one page of 1 GiB, and a page of 4 KiB at 0x4000. */
  function translated(program: readonly Line[], bits: bigint): SmallHart {
    const small = new SmallHart(program, { isSbiOutside: true });
    small.putLong(ROOT + 8 * 2, entry(RAM_BASE, V | R | W | X | A | D));
    small.putLong(ROOT, entry(ROOT + 0x1000, V));
    small.putLong(ROOT + 0x1000, entry(ROOT + 0x2000, V));
    small.putLong(ROOT + 0x2000 + 8 * 4, entry(DATA, bits));
    small.put(HANDLER, [LOOP]);
    small.hart.setCsr(STVEC, BigInt(HANDLER));
    small.hart.setCsr(SATP, (8n << 60n) | (BigInt(ROOT) >> 12n));
    small.hart.setX(1, 0x4000n);
    return small;
  }

  test('the hart marks a page as accessed and dirty', () => {
    const small = translated(
      [
        ['ld', { rd: 2, rs1: 1 }],
        ['sd', { rs1: 1 }],
      ],
      V | R | W,
    );
    small.putLong(DATA, 42n);
    small.hart.run(1);
    expect(small.hart.x(2)).toBe(42n);
    expect(small.long(ROOT + 0x2000 + 32) & (A | D)).toBe(A);
    small.hart.run(1);
    expect(small.long(ROOT + 0x2000 + 32) & (A | D)).toBe(A | D);
    expect(small.hart.translate(0x4123n)).toBe(DATA + 0x123);
  });

  test.for([
    ['a store where only reading is allowed', ['sd', { rs1: 1 }], V | R, 15n],
    ["a load from the user's page", ['ld', { rs1: 1 }], V | R | U, 13n],
    ['a load where only executing is allowed', ['ld', { rs1: 1 }], V | X, 13n],
    ['a load where nothing is', ['ld', { rs1: 1 }], 0n, 13n],
    ['a reserved bit', ['ld', { rs1: 1 }], V | R | (1n << 60n), 13n],
    ['a jump where executing is not allowed', ['jalr', { rs1: 1 }], V | R, 12n],
  ] as const)('page fault: %s', ([, line, bits, cause]) => {
    const { hart } = translated([line], bits);
    hart.run(2);
    expect([SCAUSE, STVAL].map((number) => hart.csr(number))).toEqual([cause, 0x4000n]);
  });

  test("SUM opens the user's pages, MXR those that are only executed", () => {
    const user = translated([['ld', { rd: 2, rs1: 1 }]], V | R | U);
    user.hart.setCsr(SSTATUS, 1n << 18n);
    user.hart.run(1);
    const executable = translated([['ld', { rd: 2, rs1: 1 }]], V | X);
    executable.hart.setCsr(SSTATUS, 1n << 19n);
    executable.hart.run(1);
    expect([user, executable].map(({ hart }) => hart.pc)).toEqual(
      [user, executable].map(() => BigInt(RAM_BASE + 4)),
    );
  });
});

describe('interrupts', () => {
  test('the foremost that is open comes first, and is vectored', () => {
    const { hart } = trap([LOOP]);
    hart.setCsr(MTVEC, BigInt(HANDLER) | 1n);
    hart.setCsr(MIE, 0xaaan);
    hart.setCsr(MSTATUS, 8n);
    hart.setLine('MTIP', true);
    hart.setLine('MEIP', true);
    hart.run(1);
    expect(hart.csr(MCAUSE)).toBe((1n << 63n) | 11n);
    expect(hart.pc).toBe(BigInt(HANDLER + 4 * 11));
    expect(hart.csr(MIP)).toBe((1n << 11n) | (1n << 7n));
  });

  test('what software sets or clears does not keep a line that falls', () => {
    const clearMip: Line = ['csrrc', { rd: 2, rs1: 1, imm: MIP }];
    const { hart } = trap([['csrrsi', { rd: 1, rm: 2, imm: MIP }], clearMip]);
    hart.setLine('SEIP', true);
    hart.run(1);
    hart.raiseSoftware();
    expect(hart.csr(MIP)).toBe((1n << 9n) | 2n);
    hart.setLine('SEIP', false);
    expect(hart.csr(MIP)).toBe(2n);
    hart.setLine('SEIP', true);
    hart.setX(1, 2n);
    hart.run(1);
    expect(hart.x(2)).toBe((1n << 9n) | 2n);
    hart.setLine('SEIP', false);
    expect(hart.csr(MIP)).toBe(0n);
  });

  test('a hart that waits wakes up by a line, enabled or not', () => {
    const small = new SmallHart([['wfi'], LOOP]);
    const { hart } = small;
    hart.setCsr(MIE, 1n << 11n);
    expect(hart.run(100)).toEqual({ used: 1, reason: 'wfi' });
    expect(hart.run(100)).toEqual({ used: 0, reason: 'wfi' });
    hart.setLine('MEIP', true);
    expect(hart.run(10)).toEqual({ used: 10, reason: 'budget' });
  });

  test('stimecmp interrupts S mode when its time has come', () => {
    const small = new SmallHart([['wfi'], LOOP], { isSbiOutside: true });
    const { hart } = small;
    small.put(HANDLER, [LOOP]);
    hart.setCsr(STVEC, BigInt(HANDLER));
    hart.setCsr(SIE, 1n << 5n);
    hart.setCsr(SSTATUS, 2n);
    small.time = 0;
    hart.setCsr(STIMECMP, 1000n);
    expect(hart.deadline).toBe(1000);
    expect(hart.run(100).reason).toBe('wfi');
    small.time = 999;
    expect(hart.run(100).reason).toBe('wfi');
    small.time = 1000;
    hart.run(1);
    expect(hart.csr(SCAUSE)).toBe((1n << 63n) | 5n);
  });

  test('the timer comes at the same step in both tiers, however runs are cut', () => {
    const ways = tiers.flatMap((hotLandings) =>
      [1, 13, 50_000].map((slice) => [hotLandings, slice]),
    );
    const ends = ways.map(([hotLandings, slice]) => {
      const program: Line[] = [
        ['addi', { rd: 1, rs1: 1, imm: 1 }],
        ['jal', { rd: 0, imm: -4 }],
      ];
      const small = new SmallHart(program, { isSbiOutside: true, hotLandings: hotLandings! });
      small.put(HANDLER, [LOOP]);
      small.hart.setCsr(STVEC, BigInt(HANDLER));
      small.hart.setCsr(SIE, 1n << 5n);
      small.hart.setCsr(SSTATUS, 2n);
      small.hart.setCsr(STIMECMP, 40_000n);
      for (let left = 100_000; left > 0; left -= small.hart.run(Math.min(slice!, left)).used);
      return small.hart.x(1);
    });
    expect(new Set(ends).size).toBe(1);
    expect(ends[0]).toBeGreaterThanOrEqual(20_000n);
    expect(ends[0]).toBeLessThan(40_000n);
  });

  test.for(tiers)(
    'a timer that the guest sets comes soon after its time: tier %i',
    (hotLandings) => {
      const program: Line[] = [
        ['csrrw', { rs1: 2, imm: STIMECMP }],
        ['addi', { rd: 1, rs1: 1, imm: 1 }],
        ['jal', { rd: 0, imm: -4 }],
      ];
      const small = new SmallHart(program, { isSbiOutside: true, hotLandings });
      small.put(HANDLER, [LOOP]);
      const { hart } = small;
      hart.setCsr(STVEC, BigInt(HANDLER));
      hart.setCsr(SIE, 1n << 5n);
      hart.setCsr(SSTATUS, 2n);
      hart.setX(2, 100_000n);
      hart.run(2_000_000);
      expect(hart.x(1)).toBeGreaterThanOrEqual(50_000n);
      expect(hart.x(1)).toBeLessThan(70_000n);
    },
  );
});

test('an ecall from S mode is for the board, where the SBI is outside', () => {
  const { hart } = new SmallHart([['ecall'], LOOP], { isSbiOutside: true });
  expect(hart.run(10)).toEqual({ used: 1, reason: 'sbi' });
  expect(hart.pc).toBe(BigInt(RAM_BASE + 4));
  expect(hart.privilege).toBe(1);
});

test('a hart goes on from its state and its RAM', () => {
  const program: Line[] = [
    ['addi', { rd: 1, rs1: 1, imm: 3 }],
    ['sd', { rs1: 2, rs2: 1 }],
    ['jal', { rd: 0, imm: -8 }],
  ];
  const first = new SmallHart(program);
  first.hart.setX(2, BigInt(DATA));
  first.hart.run(1001);
  const second = new SmallHart([]);
  second.ram.set(first.ram);
  second.hart.load(first.hart.save());
  for (const { hart } of [first, second]) hart.run(999);
  expect(second.hart.save()).toEqual(first.hart.save());
  expect(second.ram).toEqual(first.ram);
  expect(() => second.hart.load(new Uint8Array(3))).toThrow(/3 bytes/);
});

test.for([0, 4095, RAM_BYTES + 4096])('RAM of %i bytes is refused', (ramBytes) => {
  const memory = new WebAssembly.Memory({ initial: RAM_BYTES / 65_536 });
  const bus = { load: () => undefined, store: () => false };
  const make = (): Hart =>
    new Hart({ memory, ramBase: RAM_BASE, ramBytes, bus, clock: (steps) => steps });
  expect(make).toThrow(/RAM of/);
});

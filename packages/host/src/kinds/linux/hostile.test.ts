import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RAM_BASE, UART_BASE } from '@polyvisor/board/layout';
import { Assembler, a0, a1, t0, t1, t2, zero } from '@polyvisor/board/testing/assembler';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Guest } from '../../guest.ts';
import { createHost } from '../../host.ts';
import type { Host } from '../../host.ts';
import { TemporaryDirectory } from '../../testing/temporary-directory.ts';
import type { EvmFaces } from '../evm-types.ts';
import { CONSOLE_KEPT_BYTES_MAX } from './serial-console.ts';

const STVEC = 0x105;
const SEED = 0x2026_1125;
/** Registers that hold the random number, what is added to it, and a factor. @see Knuth, TAOCP 2, section 3.3.4 */
const [random, increment, factor] = [18, 19, 20];
const FACTOR = 1_664_525;
const INCREMENT = 1_013_904_223;
const WORK = 4_000_000n;

/** Says `s`, then does something with a random 34-bit address again and again; traps only bring it to the next. */
function wild(act: (code: Assembler) => void): Uint8Array {
  const code = new Assembler(RAM_BASE).li(t0, UART_BASE).li(a0, 's'.charCodeAt(0));
  code.op('sb', { rs1: t0, rs2: a0, imm: 0 });
  code.la(t0, 'again').op('csrrw', { rd: zero, rs1: t0, imm: STVEC });
  code.li(random, SEED).li(factor, FACTOR).li(increment, INCREMENT);
  code.label('again').op('mul', { rd: random, rs1: random, rs2: factor });
  code.op('add', { rd: random, rs1: random, rs2: increment });
  code.op('slli', { rd: t1, rs1: random, imm: 20 }).op('srli', { rd: t1, rs1: t1, imm: 30 });
  act(code);
  return code.jump('jal', { rd: zero }, 'again').elf();
}

const hostile: Readonly<Record<string, Uint8Array>> = {
  'stores anywhere': wild((code) =>
    code
      .op('sd', { rs1: t1, rs2: random, imm: 0 })
      .op('sw', { rs1: t1, rs2: random, imm: 4 })
      .op('sb', { rs1: t1, rs2: t1, imm: 9 }),
  ),
  'loads from anywhere': wild((code) =>
    code.op('ld', { rd: t2, rs1: t1, imm: 0 }).op('lw', { rd: t2, rs1: t1, imm: 4 }),
  ),
  'jumps anywhere': wild((code) => code.op('jalr', { rd: 1, rs1: t1, imm: 0 })),
  'calls the firmware with anything': wild((code) =>
    code
      .op('addi', { rd: a0, rs1: t1, imm: 0 })
      .op('addi', { rd: a1, rs1: random, imm: 0 })
      .op('srli', { rd: 16, rs1: random, imm: 60 })
      .li(17, 0x4442_434e)
      .op('ecall'),
  ),
  'says more than anybody reads': wild((code) =>
    code.li(t0, UART_BASE).op('sb', { rs1: t0, rs2: random, imm: 0 }),
  ),
};

describe('a guest that', () => {
  let host: Host;
  let directory: TemporaryDirectory;
  let neighbour: Guest & EvmFaces;

  beforeEach(async () => {
    host = await createHost();
    directory = new TemporaryDirectory();
    neighbour = await host.create({ kind: 'evm', options: {} });
  });

  afterEach(async () => {
    await host.close();
    directory[Symbol.dispose]();
  });

  test.for(Object.keys(hostile))('%s harms nobody else', async (what) => {
    const kernel = join(directory.path, 'kernel.elf');
    writeFileSync(kernel, hostile[what]!);
    const guest = await host.create({ kind: 'linux', options: { kernel, ram: '16MiB' } });
    for (let block = 0; guest.usage().work < WORK && guest.state.name === 'running'; block++) {
      await neighbour.provider.request({ method: 'evm_mine', params: [] });
      const number = await neighbour.provider.request({ method: 'eth_blockNumber', params: [] });
      expect(Number(number)).toBe(block + 1);
    }
    // It has begun. What becomes of it is its own affair, but for an end that would be a bug of ours.
    expect(guest.console.recent().length).toBeGreaterThan(0);
    expect(guest.console.recent().length).toBeLessThanOrEqual(CONSOLE_KEPT_BYTES_MAX);
    expect(guest.state).not.toMatchObject({ name: 'failed' });
    await guest.remove();
    expect(neighbour.state.name).toBe('running');
  });
});

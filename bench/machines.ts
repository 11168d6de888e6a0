import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cli } from './spawned.ts';

/** Whom computers are measured against. */
export const EMULATOR = 'qemu-system-riscv64';
export const COMPILER = 'riscv64-linux-gnu-gcc';
const COMPILER_FLAGS = '-O2 -march=rv64gc -static -nostdlib -ffreestanding -fno-builtin'.split(' ');
/** What a kernel is told: its messages stay in its log. */
const ARGUMENTS = 'console=ttyS0 quiet';

/** What a machine boots. */
export interface BootFiles {
  readonly kernel: string;
  readonly initrd: string;
}

export interface MachineOptions {
  /** What the kernel is told in place of the usual. */
  readonly kernelArguments?: string;
  /** Default: 512. */
  readonly ramMib?: number;
  /** Flags beside those. */
  readonly more?: readonly string[];
}

/** A command with its parameters. */
export type Command = readonly [program: string, parameters: readonly string[]];

/** @throws where one of them is not installed */
export function checkInstalled(...programs: readonly string[]): void {
  for (const program of programs) {
    if (spawnSync(program, ['--version']).error) throw new Error(`${program} is not installed`);
  }
}

/** Our computer, with its console at the standard streams. */
export function oursWith(files: BootFiles, options: MachineOptions = {}): Command {
  const { kernelArguments = ARGUMENTS, ramMib = 512, more = [] } = options;
  const flags = ['--kernel', files.kernel, '--initrd', files.initrd, '--append', kernelArguments];
  const ram = ['--ram', `${ramMib}MiB`];
  return [process.execPath, [cli, 'linux', '-i', ...flags, ...ram, '--no-console', ...more]];
}

/** The emulator, likewise. */
export function emulatorWith(files: BootFiles, options: MachineOptions = {}): Command {
  const { kernelArguments = ARGUMENTS, ramMib = 512, more = [] } = options;
  const machine = `-M virt -m ${ramMib} -smp 1 -nographic`.split(' ');
  const boot = ['-kernel', files.kernel, '-initrd', files.initrd, '-append', kernelArguments];
  return [EMULATOR, [...machine, ...more, ...boot]];
}

/** A program for guests, of one file in C. @param output where it is put */
export function compileForGuest(source: string, output: string): Uint8Array {
  execFileSync(COMPILER, [...COMPILER_FLAGS, '-o', output, source]);
  return readFileSync(output);
}

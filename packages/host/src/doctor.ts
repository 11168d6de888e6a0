import { statfsSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { createServer } from 'node:net';
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { CheckView } from './control/views.ts';
import { formatSize } from './sizes.ts';

/**
 * Whether this computer has what the guests need.
 * @param options.dataDirectory where guests are kept, if anywhere
 * @param options.ports that are wanted; none are asked for when a host runs already
 */
export async function checkHost(options: DoctorOptions = {}): Promise<CheckView[]> {
  const { dataDirectory, ports = [] } = options;
  return [
    checkNode(process.versions.node),
    checkProcessors(),
    checkMemory(Math.min(freemem(), process.constrainedMemory() || Infinity)),
    ...features.map(checkFeature),
    checkForeignCalls(),
    ...(dataDirectory === undefined ? [] : [checkDisk(dataDirectory)]),
    ...(await Promise.all(ports.map(checkPort))),
  ];
}

export interface DoctorOptions {
  readonly dataDirectory?: string | undefined;
  readonly ports?: readonly number[];
}

const NODE_MAJOR_MIN = 24;
const MEMORY_BYTES_MIN = 256 * 2 ** 20;
const DISK_BYTES_MIN = 2 ** 30;

/** @param version `26.10.0` */
export function checkNode(version: string): CheckView {
  const isEnough = Number.parseInt(version, 10) >= NODE_MAJOR_MIN;
  const finding = `Node ${version}`;
  if (isEnough) return { name: 'node', status: 'ok', finding };
  return {
    name: 'node',
    status: 'failure',
    finding,
    hint: `install Node ${NODE_MAJOR_MIN} or newer`,
  };
}

function checkProcessors(): CheckView {
  const count = availableParallelism();
  return { name: 'processors', status: 'ok', finding: `${count} usable` };
}

export function checkMemory(freeBytes: number): CheckView {
  const finding = `${formatSize(freeBytes)} free of ${formatSize(totalmem())}`;
  if (freeBytes >= MEMORY_BYTES_MIN) return { name: 'memory', status: 'ok', finding };
  const hint = `guests want ${formatSize(MEMORY_BYTES_MIN)} at least: end something else`;
  return { name: 'memory', status: 'warning', finding, hint };
}

function checkDisk(directory: string): CheckView {
  const { bavail, bsize } = statfsSync(directory);
  const finding = `${formatSize(bavail * bsize)} free for ${directory}`;
  if (bavail * bsize >= DISK_BYTES_MIN) return { name: 'disk', status: 'ok', finding };
  const hint = 'guests fail when the disk is full: make room, or give another --data-dir';
  return { name: 'disk', status: 'warning', finding, hint };
}

/** Copy-on-write mapping of memories goes through the operating system; chains do without. */
function checkForeignCalls(): CheckView {
  const name = 'foreign calls';
  const library = ['node:ffi', 'koffi'].find(isInstalled);
  if (library !== undefined) return { name, status: 'ok', finding: library };
  const hint =
    'computers fork slower without: start Node with --experimental-ffi, or install koffi';
  return { name, status: 'warning', finding: 'neither node:ffi nor koffi', hint };
}

/** Whether a module could be imported; importing would warn of experiments, and load it. */
function isInstalled(module: string): boolean {
  if (isBuiltin(module)) return true;
  try {
    return createRequire(import.meta.url).resolve(module) !== '';
  } catch {
    return false;
  }
}

interface Feature {
  readonly name: string;
  readonly isNeeded: boolean;
  /** A module that is valid only where the feature is there, without its first eight bytes. */
  readonly module: readonly number[];
}

/** @see https://webassembly.github.io/spec/core/binary/ */
const features: readonly Feature[] = [
  // A function () -> () of one instruction each, after `(type (func))`, `(func (type 0))`.
  {
    name: 'bulk memory',
    isNeeded: true,
    module: withMemory([0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 0]),
  },
  { name: 'vectors', isNeeded: true, module: withMemory([0x41, 0, 0xfd, 0x0f, 0x1a]) },
  { name: 'tail calls', isNeeded: true, module: withMemory([0x12, 0]) },
  { name: '64-bit memory', isNeeded: false, module: [5, 3, 1, 4, 1] },
];

/** `(module (func BODY) (memory 1))`; the body without its end. */
function withMemory(body: readonly number[]): number[] {
  return [
    1,
    4,
    1,
    0x60,
    0,
    0,
    3,
    2,
    1,
    0,
    5,
    3,
    1,
    0,
    1,
    10,
    body.length + 4,
    1,
    body.length + 2,
    0,
  ]
    .concat(body)
    .concat(0x0b);
}

function checkFeature({ name, isNeeded, module }: Feature): CheckView {
  const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...module);
  const check = { name: `WebAssembly ${name}`, finding: 'there' } as const;
  if (WebAssembly.validate(bytes)) return { ...check, status: 'ok' };
  const status = isNeeded ? 'failure' : 'warning';
  return { ...check, status, finding: 'missing', hint: 'a newer Node has it' };
}

function checkPort(port: number): Promise<CheckView> {
  const name = `port ${port}`;
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const finding = error.code === 'EADDRINUSE' ? 'in use' : error.message;
      resolve({ name, status: 'warning', finding, hint: 'choose another, or stop who has it' });
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => resolve({ name, status: 'ok', finding: 'free' }));
    });
  });
}

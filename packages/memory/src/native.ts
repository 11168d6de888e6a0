/**
 * The door to the C library, through Node's own `node:ffi` or through the package `koffi`. Nothing is loaded before
 * `openNative` is called, and no module of Node is imported, so that the file loads in a browser too.
 */
export interface Native {
  /** Maps memory. @returns the address, or 2^64 - 1 for an error. @see mmap(2) */
  mmap(
    address: bigint,
    length: bigint,
    protection: number,
    flags: number,
    fd: number,
    offset: bigint,
  ): bigint;
  /** @returns 0, or -1 for an error. @see madvise(2) */
  madvise(address: bigint, length: bigint, advice: number): number;
  /** A file without a name, in memory. @returns its descriptor, or -1. @see memfd_create(2) */
  memfdCreate(name: Uint8Array, flags: number): number;
  ftruncate(fd: number, length: bigint): number;
  close(fd: number): number;
  /** Bytes of a page of the processor. */
  getpagesize(): number;
  addressOf(bytes: Uint8Array): bigint;
}

export type Binding = 'node' | 'koffi';

type Type = 'int32' | 'uint32' | 'int64' | 'uint64' | 'pointer';

/** C name, result, parameters. */
const signatures = {
  mmap: ['mmap', 'uint64', ['uint64', 'uint64', 'int32', 'int32', 'int32', 'int64']],
  madvise: ['madvise', 'int32', ['uint64', 'uint64', 'int32']],
  memfdCreate: ['memfd_create', 'int32', ['pointer', 'uint32']],
  ftruncate: ['ftruncate', 'int32', ['int32', 'int64']],
  close: ['close', 'int32', ['int32']],
  getpagesize: ['getpagesize', 'int32', []],
} as const satisfies Record<Exclude<keyof Native, 'addressOf'>, readonly [string, Type, Type[]]>;

type Call = (...args: (number | bigint)[]) => number | bigint;
type Calls = Record<keyof typeof signatures, Call>;
interface Bound {
  readonly calls: Calls;
  readonly addressOf: (bytes: Uint8Array) => bigint;
}

/** @throws whatever the binding throws where it is missing, forbidden or of another version */
export function openNative(binding: Binding): Native {
  const { calls, addressOf } = binding === 'node' ? bindNode() : bindKoffi();
  // Bindings differ in whether a 64-bit result is a number or a bigint.
  return {
    mmap: (...args) => BigInt(calls.mmap(...args)),
    madvise: (...args) => Number(calls.madvise(...args)),
    memfdCreate: (name, flags) => Number(calls.memfdCreate(addressOf(name), flags)),
    ftruncate: (...args) => Number(calls.ftruncate(...args)),
    close: (fd) => Number(calls.close(fd)),
    getpagesize: () => Number(calls.getpagesize()),
    addressOf,
  };
}

function bindNode(): Bound {
  const ffi = loadFfi();
  if (!ffi) throw new Error('this Node has no node:ffi');
  const definitions = Object.fromEntries(
    Object.values(signatures).map(([name, result, params]) => [
      name,
      { return: result, arguments: params },
    ]),
  );
  const { functions } = ffi.dlopen(null, definitions);
  return { calls: bindAll((name) => functions[name]), addressOf: (b) => ffi.getRawPointer(b) };
}

/** Without its warning that it is experimental: whoever runs a guest can't do anything about that. */
function loadFfi(): typeof import('node:ffi') | undefined {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:ffi');
  } finally {
    process.emitWarning = emitWarning;
  }
}

function bindKoffi(): Bound {
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  const koffi = require('koffi') as typeof import('koffi');
  const library = koffi.load(null);
  const types = {
    int32: 'int',
    uint32: 'uint',
    int64: 'int64',
    uint64: 'uint64',
    pointer: 'void*',
  };
  return {
    calls: bindAll((name, result, params) =>
      library.func(
        name,
        types[result],
        params.map((type) => types[type]),
      ),
    ),
    addressOf: (bytes) => BigInt(koffi.address(bytes)),
  };
}

function bindAll(bind: (name: string, result: Type, params: readonly Type[]) => unknown): Calls {
  const entries = Object.entries(signatures);
  return Object.fromEntries(
    entries.map(([key, [name, result, params]]) => [key, bind(name, result, params)]),
  ) as Calls;
}

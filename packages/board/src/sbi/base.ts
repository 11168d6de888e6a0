import { SBI_SUCCESS, type SbiFunction, type SbiResult } from './function.ts';

const BASE = 0x10;
/** Version 2.0: major in bits 24 to 30, minor below. */
const SPECIFICATION = 0x0200_0000n;
/** Implementation ids are given out by RISC-V International; this one is nobody's: "plyv". */
const IMPLEMENTATION = 0x706c_7976n;
const IMPLEMENTATION_VERSION = 1n;

const MVENDORID = 0xf11;
const MARCHID = 0xf12;
const MIMPID = 0xf13;

const give = (value: bigint): SbiResult => ({ error: SBI_SUCCESS, value });

/** @param extensions ids of all others that are there */
export function baseFunctions(extensions: readonly number[]): readonly SbiFunction[] {
  const row = (
    id: number,
    name: string,
    section: string,
    serve: SbiFunction['serve'],
  ): SbiFunction => ({ extension: BASE, id, name, section, serve });
  return [
    row(0, 'get_spec_version', '4.1', () => give(SPECIFICATION)),
    row(1, 'get_impl_id', '4.2', () => give(IMPLEMENTATION)),
    row(2, 'get_impl_version', '4.3', () => give(IMPLEMENTATION_VERSION)),
    row(3, 'probe_extension', '4.4', (_, [id]) => probe(id, extensions)),
    row(4, 'get_mvendorid', '4.5', ({ processor }) => give(processor.csr(MVENDORID)!)),
    row(5, 'get_marchid', '4.6', ({ processor }) => give(processor.csr(MARCHID)!)),
    row(6, 'get_mimpid', '4.7', ({ processor }) => give(processor.csr(MIMPID)!)),
  ];
}

function probe(id: bigint, extensions: readonly number[]): SbiResult {
  return give([BASE, ...extensions].some((extension) => BigInt(extension) === id) ? 1n : 0n);
}

import { SBI_SUCCESS, type SbiFunction, type SbiResult } from './function.ts';

const BASE = 0x10;
/** Version 2.0: major in bits 24 to 30, minor below. */
const SPECIFICATION = 0x0200_0000n;
/** Implementation ids are given out by RISC-V International; this one is nobody's: "plyv". */
const IMPLEMENTATION = 0x706c_7976n;
const IMPLEMENTATION_VERSION = 1n;

const give = (value: bigint): SbiResult => ({ error: SBI_SUCCESS, value });

/** @param extensions ids of all others that are there */
// oxfmt-ignore
export const baseFunctions = (extensions: readonly number[]): readonly SbiFunction[] => [
  { extension: BASE, id: 0, name: 'get_spec_version', section: '4.1', serve: () => give(SPECIFICATION) },
  { extension: BASE, id: 1, name: 'get_impl_id', section: '4.2', serve: () => give(IMPLEMENTATION) },
  { extension: BASE, id: 2, name: 'get_impl_version', section: '4.3', serve: () => give(IMPLEMENTATION_VERSION) },
  { extension: BASE, id: 3, name: 'probe_extension', section: '4.4', serve: (_, [id]) => probe(id, extensions) },
  { extension: BASE, id: 4, name: 'get_mvendorid', section: '4.5', serve: ({ processor }) => give(processor.csr(0xf11)!) },
  { extension: BASE, id: 5, name: 'get_marchid', section: '4.6', serve: ({ processor }) => give(processor.csr(0xf12)!) },
  { extension: BASE, id: 6, name: 'get_mimpid', section: '4.7', serve: ({ processor }) => give(processor.csr(0xf13)!) },
];

function probe(id: bigint, extensions: readonly number[]): SbiResult {
  return give([BASE, ...extensions].some((extension) => BigInt(extension) === id) ? 1n : 0n);
}

import { equalBytes, padLeft } from '@polyvisor/bytes/bytes';
import { type Hardfork, isAtLeast } from '../hardfork.ts';
import { valueAt, type Schedule } from '../gas.ts';
import * as bls from './bls.ts';
import * as curves from './curves.ts';
import * as hashes from './hashes.ts';
import { modexpGas, runModexp } from './modexp.ts';

/** A contract that the protocol has built in. */
export interface Precompile {
  readonly address: number;
  readonly name: string;
  readonly since: Hardfork;
  gas(input: Uint8Array, fork: Hardfork): bigint;
  /** The output; undefined when it fails, which takes all gas. */
  run(input: Uint8Array, fork: Hardfork): Uint8Array | undefined;
}

type Gas = Precompile['gas'];
type Run = Precompile['run'];

const fixed =
  (price: number): Gas =>
  () =>
    BigInt(price);
const perWord =
  (base: number, word: number): Gas =>
  (input) =>
    BigInt(base + word * Math.ceil(input.length / 32));
const scheduled =
  (schedule: Schedule): Gas =>
  (_, fork) =>
    BigInt(valueAt<number>(schedule, fork)!);
/** A base and a price for each whole item of `size` bytes. */
const perItem =
  (base: Schedule, item: Schedule, size: number): Gas =>
  (input, fork) => {
    const items = Math.floor(input.length / size);
    return BigInt(valueAt<number>(base, fork)! + valueAt<number>(item, fork)! * items);
  };
/** @see EIP-197, EIP-1108 */
const bn254PairingGas = perItem(
  { byzantium: 100000, istanbul: 45000 },
  { byzantium: 80000, istanbul: 34000 },
  192,
);

// oxfmt-ignore
export const precompiles: readonly Precompile[] = [
  row(0x01, 'ECRECOVER',   'frontier',  fixed(3000),       curves.ecrecover),
  row(0x02, 'SHA256',      'frontier',  perWord(60, 12),   hashes.runSha256),
  row(0x03, 'RIPEMD160',   'frontier',  perWord(600, 120), hashes.runRipemd160),
  row(0x04, 'IDENTITY',    'frontier',  perWord(15, 3),    (input) => input),
  row(0x05, 'MODEXP',      'byzantium', modexpGas,         runModexp),
  row(0x06, 'BN254_ADD',   'byzantium', scheduled({ byzantium: 500, istanbul: 150 }), curves.bn254AddRun),
  row(0x07, 'BN254_MUL',   'byzantium', scheduled({ byzantium: 40000, istanbul: 6000 }), curves.bn254MultiplyRun),
  row(0x08, 'BN254_PAIRING', 'byzantium', bn254PairingGas, curves.bn254PairingRun),
  row(0x09, 'BLAKE2F',     'istanbul',  hashes.blake2fGas, hashes.runBlake2f),
  row(0x0a, 'KZG_POINT_EVALUATION', 'cancun', fixed(50000), curves.kzgRun),
  row(0x0b, 'BLS12_G1ADD', 'prague',    fixed(375),        bls.g1Add),
  row(0x0c, 'BLS12_G1MSM', 'prague',    bls.g1MsmGas,      bls.g1Msm),
  row(0x0d, 'BLS12_G2ADD', 'prague',    fixed(600),        bls.g2Add),
  row(0x0e, 'BLS12_G2MSM', 'prague',    bls.g2MsmGas,      bls.g2Msm),
  row(0x0f, 'BLS12_PAIRING_CHECK', 'prague', perItem(37700, 32600, 384), bls.pairing),
  row(0x10, 'BLS12_MAP_FP_TO_G1', 'prague', fixed(5500),   bls.mapToG1),
  row(0x11, 'BLS12_MAP_FP2_TO_G2', 'prague', fixed(23800), bls.mapToG2),
  row(0x100, 'P256VERIFY', 'osaka',     fixed(6900),       curves.p256Run),
];

function row(address: number, name: string, since: Hardfork, gas: Gas, run: Run): Precompile {
  return { address, name, since, gas, run };
}

/** The precompile at a 20-byte address under a fork's rules. */
export function precompileAt(fork: Hardfork, address: Uint8Array): Precompile | undefined {
  return precompiles.find(
    (entry) => isAtLeast(fork, entry.since) && equalBytes(precompileAddress(entry), address),
  );
}

export function precompileAddress(entry: Precompile): Uint8Array {
  return padLeft(Uint8Array.of(entry.address >> 8, entry.address & 0xff), 20);
}

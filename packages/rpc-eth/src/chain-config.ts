import { bytesToHex } from '@polyvisor/bytes/hex';
import type { EthMachine } from '@polyvisor/eth/machine';
import { predeployAddress } from '@polyvisor/eth/predeploys';
import { DEPOSIT_CONTRACT } from '@polyvisor/eth/requests';
import { blockOf } from '@polyvisor/eth/state';
import { blobSchedule } from '@polyvisor/evm/blob-schedule';
import { isAtLeast } from '@polyvisor/evm/hardfork';
import { precompileRanges } from '@polyvisor/evm/precompile-ranges';
import { type JsonObject, quantityView } from './views.ts';

/** Names of the precompiled contracts by address. @see EIP-7910, "Specification" */
const precompileNames: Readonly<Record<number, string>> = {
  0x01: 'ECREC',
  0x02: 'SHA256',
  0x03: 'RIPEMD160',
  0x04: 'ID',
  0x05: 'MODEXP',
  0x06: 'BN254_ADD',
  0x07: 'BN254_MUL',
  0x08: 'BN254_PAIRING',
  0x09: 'BLAKE2F',
  0x0a: 'KZG_POINT_EVALUATION',
  0x0b: 'BLS12_G1ADD',
  0x0c: 'BLS12_G1MSM',
  0x0d: 'BLS12_G2ADD',
  0x0e: 'BLS12_G2MSM',
  0x0f: 'BLS12_PAIRING_CHECK',
  0x10: 'BLS12_MAP_FP_TO_G1',
  0x11: 'BLS12_MAP_FP2_TO_G2',
  0x100: 'P256VERIFY',
};

/**
 * What `eth_config` answers: the chain has the same rules from its first block on.
 * @see EIP-7910
 */
export function chainConfig({ state, hardfork }: EthMachine): JsonObject {
  const schedule = blobSchedule(hardfork);
  const precompiles: Record<string, string> = {};
  for (const [first, last] of precompileRanges(hardfork)) {
    for (let i = first; i <= last; i++) {
      precompiles[precompileNames[i]!] = `0x${i.toString(16).padStart(40, '0')}`;
    }
  }
  const genesis = blockOf(state, 0n)!;
  const current = {
    activationTime: 0,
    blobSchedule: schedule
      ? {
          target: schedule.target,
          max: schedule.max,
          baseFeeUpdateFraction: Number(schedule.updateFraction),
        }
      : null,
    chainId: quantityView(state.settings.chainId),
    forkId: `0x${crc32(genesis.hash).toString(16).padStart(8, '0')}`,
    precompiles,
    systemContracts: systemContracts(hardfork),
  };
  return { current, next: null, last: null };
}

function systemContracts(hardfork: EthMachine['hardfork']): JsonObject {
  const addressOf = (name: Parameters<typeof predeployAddress>[0]): string =>
    bytesToHex(predeployAddress(name));
  return {
    ...(isAtLeast(hardfork, 'cancun') ? { BEACON_ROOTS_ADDRESS: addressOf('beaconRoots') } : {}),
    ...(isAtLeast(hardfork, 'prague')
      ? {
          CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS: addressOf('consolidationRequests'),
          DEPOSIT_CONTRACT_ADDRESS: bytesToHex(DEPOSIT_CONTRACT),
          HISTORY_STORAGE_ADDRESS: addressOf('blockHashes'),
          WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS: addressOf('withdrawalRequests'),
        }
      : {}),
  };
}

/**
 * The polynomial of CRC-32, its bits reversed.
 * @see ISO 3309; EIP-2124 takes it over the genesis hash
 */
const CRC_POLYNOMIAL = 0xedb8_8320;

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}

import { hexToBytes } from '@polyvisor/bytes/hex';
import type { Hardfork } from '@polyvisor/evm/hardfork';

/** A contract that a fork expects at a fixed address, because blocks call it. */
export interface Predeploy {
  readonly name: 'beaconRoots' | 'blockHashes' | 'withdrawalRequests' | 'consolidationRequests';
  readonly since: Hardfork;
  readonly address: Uint8Array;
  readonly code: Uint8Array;
}

/** Who calls the system contracts. @see EIP-4788 */
export const SYSTEM_ADDRESS: Uint8Array = hexToBytes('0xfffffffffffffffffffffffffffffffffffffffe');

/** @see EIP-4788, EIP-2935, EIP-7002 and EIP-7251: addresses and runtime code as the EIPs give them */
export const predeploys: readonly Predeploy[] = [
  {
    name: 'beaconRoots',
    since: 'cancun',
    address: hexToBytes('0x000f3df6d732807ef1319fb7b8bb8522d0beac02'),
    code: hexToBytes(
      '0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff' +
        '810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500',
    ),
  },
  {
    name: 'blockHashes',
    since: 'prague',
    address: hexToBytes('0x0000f90827f1c53a10cb7a02335b175320002935'),
    code: hexToBytes(
      '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81' +
        '430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500',
    ),
  },
  {
    name: 'withdrawalRequests',
    since: 'prague',
    address: hexToBytes('0x00000961ef480eb55e80d19ad83579a64c007002'),
    code: hexToBytes(
      '0x3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffffffffffff' +
        'ffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f82111560685781019083028483029004916' +
        '001019190604d565b909390049250505036603814608857366101f457346101f4575f5260205ff35b34106101f4576001' +
        '54600101600155600354806003026004013381556001015f35815560010160203590553360601b5f5260385f601437604' +
        'c5fa0600101600355005b6003546002548082038060101160df575060105b5f5b81811461018357828101600302600401' +
        '81604c02815460601b8152601401816001015481526020019060020154807fffffffffffffffffffffffffffffffff000' +
        '00000000000000000000000000000168252906010019060401c908160381c81600701538160301c81600601538160281c' +
        '81600501538160201c81600401538160181c81600301538160101c81600201538160081c81600101535360010160e1565' +
        'b910180921461019557906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffff' +
        'ffffffffffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101e8565b016' +
        '00290035b5f555f600155604c025ff35b5f5ffd',
    ),
  },
  {
    name: 'consolidationRequests',
    since: 'prague',
    address: hexToBytes('0x0000bbddc7ce488642fb579f8b00f3a590007251'),
    code: hexToBytes(
      '0x3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffffffffffff' +
        'ffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f82111560685781019083028483029004916' +
        '001019190604d565b9093900492505050366060146088573661019a573461019a575f5260205ff35b341061019a576001' +
        '54600101600155600354806004026004013381556001015f358155600101602035815560010160403590553360601b5f5' +
        '260605f60143760745fa0600101600355005b6003546002548082038060021160e7575060025b5f5b8181146101295782' +
        '810160040260040181607402815460601b815260140181600101548152602001816002015481526020019060030154905' +
        '260010160e9565b910180921461013b5790600255610146565b90505f6002555f6003555b5f54807fffffffffffffffff' +
        'ffffffffffffffffffffffffffffffffffffffffffffffff141561017357505f5b6001546001828201116101885750505' +
        'f61018e565b01600190035b5f555f6001556074025ff35b5f5ffd',
    ),
  },
];

export function predeployAddress(name: Predeploy['name']): Uint8Array {
  return predeploys.find((predeploy) => predeploy.name === name)!.address;
}

/**
 * Events and functions that are known without an ABI. Their hashes are derived from the signatures
 * by a test, not here: the page has no hash function to carry.
 * @see https://eips.ethereum.org/EIPS/eip-20 and https://eips.ethereum.org/EIPS/eip-721
 */
export interface EventInput {
  readonly name: string;
  readonly type: 'address' | 'uint256' | 'bool';
  readonly isIndexed: boolean;
}

export interface KnownEvent {
  readonly name: string;
  readonly standard: 'ERC-20' | 'ERC-721' | 'WETH';
  /** Keccak-256 of the signature. */
  readonly topic: string;
  readonly inputs: readonly EventInput[];
}

const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const APPROVAL = '0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925';

/** Events of the two standards share signatures and differ in how much of them is indexed. */
export const knownEvents: readonly KnownEvent[] = [
  event('Transfer', 'ERC-20', TRANSFER, '*from address', '*to address', 'value uint256'),
  event('Transfer', 'ERC-721', TRANSFER, '*from address', '*to address', '*tokenId uint256'),
  event('Approval', 'ERC-20', APPROVAL, '*owner address', '*spender address', 'value uint256'),
  event('Approval', 'ERC-721', APPROVAL, '*owner address', '*approved address', '*tokenId uint256'),
  event(
    'ApprovalForAll',
    'ERC-721',
    '0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31',
    '*owner address',
    '*operator address',
    'approved bool',
  ),
  event(
    'Deposit',
    'WETH',
    '0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c',
    '*dst address',
    'wad uint256',
  ),
  event(
    'Withdrawal',
    'WETH',
    '0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65',
    '*src address',
    'wad uint256',
  ),
];

/** Names of functions by the first four bytes of their signature's hash. */
export const knownFunctions: Readonly<Record<string, string>> = {
  '0x06fdde03': 'name()',
  '0x95d89b41': 'symbol()',
  '0x313ce567': 'decimals()',
  '0x18160ddd': 'totalSupply()',
  '0x70a08231': 'balanceOf(address)',
  '0xa9059cbb': 'transfer(address,uint256)',
  '0x23b872dd': 'transferFrom(address,address,uint256)',
  '0x095ea7b3': 'approve(address,uint256)',
  '0xdd62ed3e': 'allowance(address,address)',
  '0x6352211e': 'ownerOf(uint256)',
  '0x42842e0e': 'safeTransferFrom(address,address,uint256)',
  '0xb88d4fde': 'safeTransferFrom(address,address,uint256,bytes)',
  '0xa22cb465': 'setApprovalForAll(address,bool)',
  '0x081812fc': 'getApproved(uint256)',
  '0xe985e9c5': 'isApprovedForAll(address,address)',
  '0xc87b56dd': 'tokenURI(uint256)',
  '0x01ffc9a7': 'supportsInterface(bytes4)',
  '0xd0e30db0': 'deposit()',
  '0x2e1a7d4d': 'withdraw(uint256)',
};

/** @param inputs `name type`, with `*` before those that are indexed */
function event(
  name: string,
  standard: KnownEvent['standard'],
  topic: string,
  ...inputs: readonly string[]
): KnownEvent {
  return {
    name,
    standard,
    topic,
    inputs: inputs.map((input) => {
      const [inputName = '', type] = input.replace('*', '').split(' ');
      return { name: inputName, type: type as EventInput['type'], isIndexed: input[0] === '*' };
    }),
  };
}

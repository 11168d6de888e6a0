import { hexToBytes } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import { bloomMayContain, bloomOf, mergeBlooms } from './bloom.ts';
import { type LogQuery, matchingLogs } from './log-query.ts';
import { encodeReceipt } from './receipt.ts';
import { blockOf } from './state.ts';
import { address, alice, mine, send, testChain, word } from './testing/test-chain.ts';

/** log2(0, 0, topic calldataload(0), topic calldataload(32)) */
const LOGGER_CODE = hexToBytes('0x6020355f355f5fa200');
const [FIRST, SECOND] = [address(0x10a1), address(0x10a2)];

function chain(): ReturnType<typeof testChain> {
  const machine = testChain({
    accounts: [FIRST, SECOND].map((at) => ({ address: at, balance: 0n, code: LOGGER_CODE })),
    mining: { mode: 'manual' },
  });
  const log = (to: Uint8Array, a: number, b: number): void =>
    void send(machine, alice, { to, data: new Uint8Array([...word(a), ...word(b)]) });
  log(FIRST, 1, 2);
  log(SECOND, 1, 3);
  log(FIRST, 4, 2);
  mine(machine);
  return machine;
}

describe('log queries', () => {
  const { head } = chain().state;
  const found = (query: Partial<LogQuery>): number[] =>
    matchingLogs(head, { addresses: [], topics: [], ...query }).map(({ logIndex }) => logIndex);

  test.each([
    ['everything', {}, [0, 1, 2]],
    ['an address', { addresses: [FIRST] }, [0, 2]],
    ['one of two addresses', { addresses: [FIRST, SECOND] }, [0, 1, 2]],
    ['another address', { addresses: [address(9)] }, []],
    ['a first topic', { topics: [[word(1)]] }, [0, 1]],
    ['a second topic alone', { topics: [[], [word(2)]] }, [0, 2]],
    ['one of two topics', { topics: [[word(1), word(4)], [word(2)]] }, [0, 2]],
    ['address and topic', { addresses: [SECOND], topics: [[word(1)]] }, [1]],
    ['more topics than logs have', { topics: [[], [], []] }, []],
  ] as const)('%s', (_, query, expected) => {
    expect(found(query)).toEqual(expected);
  });

  test('a log’s index counts through the block, its transaction’s beside it', () => {
    const entries = matchingLogs(head, { addresses: [], topics: [[word(4)]] });
    expect(entries).toMatchObject([{ logIndex: 2, transactionIndex: 2 }]);
  });
});

describe('blooms', () => {
  test('a filter has what was put in, and a block’s is that of its receipts', () => {
    const { head } = chain().state;
    const { logsBloom } = head.header;
    expect(logsBloom).toEqual(mergeBlooms(head.receipts.map((receipt) => receipt.logsBloom)));
    for (const value of [FIRST, SECOND, word(3)]) {
      expect(bloomMayContain(logsBloom, value)).toBe(true);
    }
    expect(bloomMayContain(logsBloom, word(77))).toBe(false);
  });

  test('three bits a value, as the Yellow Paper has it', () => {
    const bits = (bytes: Uint8Array): number =>
      bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    const bloom = bloomOf([{ address: address(1), topics: [], data: new Uint8Array(0) }]);
    expect(bits(bloom)).toBe(3);
    // Keccak-256 of the address begins 0x1468 2880 5631; of each pair the low 11 bits count.
    for (const bit of [0x468, 0x080, 0x631]) {
      expect(bloom[255 - (bit >> 3)]! & (1 << (bit & 7))).not.toBe(0);
    }
  });
});

describe('receipts', () => {
  test('gas adds up, and the type stands in front', () => {
    const { head } = chain().state;
    const [first, second] = head.receipts;
    expect(second!.cumulativeGasUsed).toBe(first!.gasUsed + second!.gasUsed);
    expect(encodeReceipt(first!)[0]).toBe(2);
    expect(encodeReceipt({ ...first!, type: 0 })[0]).toBeGreaterThanOrEqual(0xc0);
  });

  test('before Byzantium a receipt has the state root behind its transaction', () => {
    const machine = testChain({ hardfork: 'homestead' });
    send(machine, alice, { type: 0, chainId: undefined, maxPriorityFeePerGas: 10n ** 10n });
    const [receipt] = blockOf(machine.state, 1n)!.receipts;
    expect(receipt!.stateRoot!.length).toBe(32);
  });
});

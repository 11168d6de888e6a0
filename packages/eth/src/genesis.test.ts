import { bytesToHex } from '@polyvisor/bytes/hex';
import { describe, expect, test } from 'vitest';
import { genesisState } from './genesis.ts';
import { headerHash } from './header.ts';
import { predeployAddress } from './predeploys.ts';
import { address, alice, testGenesis, word } from './testing/test-chain.ts';

describe('genesis', () => {
  test('accounts with balance, nonce, code and storage', () => {
    const code = Uint8Array.of(0x00);
    const storage = [[word(1), 7n]] as const;
    const { world, head } = genesisState(
      testGenesis({ accounts: [{ address: address(5), balance: 3n, nonce: 2n, code, storage }] }),
    );
    expect(world.account(address(5))).toMatchObject({ balance: 3n, nonce: 2n });
    expect([world.codeAt(address(5)), world.slot(address(5), word(1))]).toEqual([
      code,
      Uint8Array.of(7),
    ]);
    expect(world.account(alice.address)!.balance).toBe(1000n * 10n ** 18n);
    expect(head.header.stateRoot).toEqual(world.root());
    expect(head.hash).toEqual(headerHash(head.header));
  });

  test('an empty chain has the roots of nothing', () => {
    const { header } = genesisState(testGenesis()).head;
    const empty = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
    for (const name of ['transactionsRoot', 'receiptsRoot', 'withdrawalsRoot'] as const) {
      expect(bytesToHex(header[name]!)).toBe(empty);
    }
    // SHA-256 of nothing. See EIP-7685.
    expect(bytesToHex(header.requestsHash!)).toBe(
      '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  test.each([
    ['berlin', [], []],
    ['london', ['baseFee'], []],
    ['shanghai', ['baseFee', 'withdrawalsRoot'], []],
    [
      'cancun',
      ['baseFee', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot'],
      ['beaconRoots'],
    ],
  ] as const)(
    'on %s the header has %o, and the contracts %o are there',
    (hardfork, fields, contracts) => {
      const { head, world } = genesisState(testGenesis({ hardfork }));
      const optional = Object.entries(head.header).slice(15);
      const present = optional.filter(([, value]) => value !== undefined).map(([name]) => name);
      expect(present.toSorted()).toEqual(fields.toSorted());
      const all = [
        'beaconRoots',
        'blockHashes',
        'withdrawalRequests',
        'consolidationRequests',
      ] as const;
      expect(all.filter((name) => world.codeAt(predeployAddress(name)).length > 0)).toEqual(
        contracts,
      );
    },
  );

  test('an account of the genesis takes the place of a contract of the fork', () => {
    const contract = predeployAddress('beaconRoots');
    const code = Uint8Array.of(0xfe);
    const { world } = genesisState(
      testGenesis({ accounts: [{ address: contract, balance: 0n, code }] }),
    );
    expect(world.codeAt(contract)).toEqual(code);
  });
});

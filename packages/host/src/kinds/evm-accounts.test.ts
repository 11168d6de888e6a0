import { mnemonicToAccounts } from '@polyvisor/crypto/mnemonic';
import { expect, test } from 'vitest';
import { developmentAccounts } from './evm-accounts.ts';
import { evmDefaults } from './evm-options.ts';

const { mnemonic, derivationPath } = evmDefaults;

test('the accounts that stand in the table are those that derive', async () => {
  for (const accounts of [0, 1, 20]) {
    const derived = mnemonicToAccounts(mnemonic, accounts, derivationPath);
    expect(await developmentAccounts({ mnemonic, derivationPath, accounts })).toEqual(derived);
  }
});

test('one more than the table, another path and other words derive', async () => {
  for (const options of [
    { mnemonic, derivationPath, accounts: 21 },
    { mnemonic, derivationPath: "m/44'/60'/1'/0/", accounts: 2 },
    { mnemonic: 'other words', derivationPath, accounts: 2 },
  ]) {
    const derived = mnemonicToAccounts(options.mnemonic, options.accounts, options.derivationPath);
    expect(await developmentAccounts(options)).toEqual(derived);
  }
});

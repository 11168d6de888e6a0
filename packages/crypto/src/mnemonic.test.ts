import { secp256k1 } from '@noble/curves/secp256k1.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@polyvisor/bytes/hex';
import fc from 'fast-check';
import { HDNodeWallet, Mnemonic } from 'ethers';
import { expect, test } from 'vitest';
import { mnemonicToAccounts } from './mnemonic.ts';
import { nodeCrypto } from './node-crypto.ts';
import { publicKeyOf } from './secp256k1.ts';

const SEED = 20_261_125;
const JUNK = 'test test test test test test test test test test test junk';

test('the accounts of the usual words are those every tool prints', () => {
  const [first, second] = mnemonicToAccounts(JUNK, 2);
  expect(bytesToHex(first!.address)).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  expect(bytesToHex(first!.privateKey)).toBe(
    '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  );
  expect(bytesToHex(second!.address)).toBe('0x70997970c51812dc3a010c7d01b50e0d17dc79c8');
});

test.for(["m/44'/60'/0'/0/", "m/44'/60'/7'/", 'm/1/2/3/', 'm/'])(
  'accounts along %s are those of ethers',
  (path) => {
    const accounts = mnemonicToAccounts(JUNK, 3, path);
    const addresses = accounts.map(({ address }) => bytesToHex(address));
    const wallets = [0, 1, 2].map((index) => {
      const mnemonic = Mnemonic.fromPhrase(JUNK);
      return HDNodeWallet.fromMnemonic(mnemonic, `${path}${index}`).address.toLowerCase();
    });
    expect(addresses).toEqual(wallets);
  },
);

test('Node and the library agree on public keys and seeds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      fc.pre(secp256k1.utils.isValidSecretKey(key));
      expect(publicKeyOf(key, 'compressed')).toEqual(secp256k1.getPublicKey(key, true));
      expect(publicKeyOf(key, 'uncompressed')).toEqual(secp256k1.getPublicKey(key, false));
    }),
    { seed: SEED, numRuns: 20 },
  );
  const library = pbkdf2(sha512, 'words', 'mnemonic', { c: 2048, dkLen: 64 });
  const node = nodeCrypto()!.pbkdf2Sync('words', 'mnemonic', 2048, 64, 'sha512');
  expect(Uint8Array.from(node)).toEqual(library);
});

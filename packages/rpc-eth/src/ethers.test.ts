import { BrowserProvider, Contract, ContractFactory, HDNodeWallet, parseEther } from 'ethers';
import { expect, test } from 'vitest';
import { MNEMONIC, TestNode } from './testing/test-node.ts';
import { SUPPLY, token } from './testing/test-clients.ts';

function ethersOf() {
  const node = new TestNode();
  const provider = new BrowserProvider(node.provider, undefined, { cacheTimeout: -1 });
  provider.pollingInterval = 1;
  const wallet = HDNodeWallet.fromPhrase(MNEMONIC, undefined, "m/44'/60'/0'/0/0");
  return { node, provider, wallet: wallet.connect(provider) };
}

const bob = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

test('a wallet sends, waits and reads', async () => {
  const { provider, wallet } = ethersOf();
  expect((await provider.getNetwork()).chainId).toBe(31337n);
  const sent = await wallet.sendTransaction({ to: bob, value: parseEther('1') });
  const receipt = await sent.wait();
  expect(receipt).toMatchObject({ status: 1, blockNumber: 1, gasUsed: 21_000n });
  expect(await provider.getBalance(bob)).toBe(parseEther('10001'));
  const block = await provider.getBlock('latest', true);
  expect(block!.prefetchedTransactions[0]!.hash).toBe(sent.hash);
});

test('the node signs for its own accounts', async () => {
  const { provider, wallet } = ethersOf();
  const signer = await provider.getSigner(0);
  expect(signer.address).toBe(wallet.address);
  const sent = await signer.sendTransaction({ to: bob, value: 1n });
  expect(await sent.wait()).toMatchObject({ status: 1 });
  expect(await signer.signMessage('hello')).toBe(await wallet.signMessage('hello'));
  const types = { Note: [{ name: 'text', type: 'string' }] };
  const domain = { name: 'Notes', chainId: 31337 };
  expect(await signer.signTypedData(domain, types, { text: 'a' })).toBe(
    await wallet.signTypedData(domain, types, { text: 'a' }),
  );
});

test('a contract is deployed, written and listened to', async () => {
  const { provider, wallet } = ethersOf();
  const factory = new ContractFactory(token.abi, token.bytecode, wallet);
  const deployed = await factory.deploy(SUPPLY);
  await deployed.waitForDeployment();
  const contract = new Contract(await deployed.getAddress(), token.abi, wallet);
  const heard = new Promise(
    (resolve) => void contract.once('Transfer', (...args) => resolve(args)),
  );
  await contract.on('Transfer', () => {});
  await (await contract.getFunction('transfer')(bob, 9n)).wait();
  expect(await contract.getFunction('balanceOf')(bob)).toBe(9n);
  expect(await contract.queryFilter('Transfer', 0)).toHaveLength(2);
  await expect(contract.getFunction('transfer').staticCall(bob, SUPPLY)).rejects.toThrow(
    'ds-math-sub-underflow',
  );
  await heard;
  await contract.removeAllListeners();
  provider.destroy();
});

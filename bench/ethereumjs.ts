import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { peerPackage } from './peers.ts';

/** @ethereumjs/evm with contracts in its state. */
export interface EthereumJs {
  call(from: Uint8Array, to: Uint8Array, data: Uint8Array): Promise<Uint8Array>;
}

export async function openEthereumJs(
  contracts: Iterable<readonly [address: Uint8Array, code: Uint8Array]>,
): Promise<EthereumJs> {
  const [{ createEVM }, { Common, Mainnet, Hardfork }, { Address }] = await Promise.all([
    load('@ethereumjs/evm'),
    load('@ethereumjs/common'),
    load('@ethereumjs/util'),
  ]);
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Prague });
  const evm = await createEVM({ common, allowUnlimitedContractSize: true });
  for (const [address, code] of contracts)
    await evm.stateManager.putCode(new Address(address), code);
  return {
    call: async (from, to, data) => {
      const caller = new Address(from);
      const input = { caller, origin: caller, to: new Address(to), data, gasLimit: 1n << 60n };
      const { execResult } = await evm.runCall(input);
      if (execResult.exceptionError)
        throw new Error(`ethereumjs: ${execResult.exceptionError.error}`);
      return execResult.returnValue;
    },
  };
}

/** The peer is not installed when this is type-checked, so its modules have no types. */
// oxlint-disable-next-line typescript/no-explicit-any
async function load(name: Parameters<typeof peerPackage>[0]): Promise<any> {
  return await import(pathToFileURL(join(peerPackage(name), 'dist', 'esm', 'index.js')).href);
}

import { bigIntToBytes, bytesToBigInt, bytesToUtf8, utf8ToBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { latin1ToBytes } from '@polyvisor/bytes/latin1';
import { Overlay } from '@polyvisor/eth/overlay';
import { type EthState, blockHashes } from '@polyvisor/eth/state';
import {
  type Parameter,
  ParameterError,
  address,
  data,
  invalidParams,
  object,
  parameter,
  record,
  wholeNumber,
} from './parameters.ts';
import { type JsonObject, quantityView, wordView } from './views.ts';

/** All accounts: gzip of JSON, as hex. Takes time and memory in proportion to the state. */
export async function dumpState({ world, head }: EthState): Promise<string> {
  const accounts: Record<string, JsonObject> = {};
  for (const [key, account] of world.accounts.entries()) {
    const storage: Record<string, string> = {};
    for (const [slot, value] of account.slots.entries()) {
      storage[bytesToHex(latin1ToBytes(slot))] = wordView(bytesToBigInt(latin1ToBytes(value)));
    }
    accounts[bytesToHex(latin1ToBytes(key))] = {
      nonce: Number(account.nonce),
      balance: quantityView(account.balance),
      code: bytesToHex(world.code(account.codeHash)),
      storage,
    };
  }
  const json = JSON.stringify({ best_block_number: Number(head.header.number), accounts });
  return bytesToHex(await piped(utf8ToBytes(json), new CompressionStream('gzip'), Infinity));
}

interface DumpedAccount {
  readonly address: Uint8Array;
  readonly nonce?: bigint;
  readonly balance?: bigint;
  readonly code?: Uint8Array;
  readonly storage?: readonly (readonly [key: Uint8Array, value: bigint])[];
}

const slots: Parameter<[Uint8Array, bigint][]> = parameter('storage', (value) =>
  Object.entries(record(value, 'storage')).map(([key, word]) => [
    bigIntToBytes(wholeNumber.read(key), 32),
    wholeNumber.read(word),
  ]),
);

const accountFields = object('account', {
  nonce: wholeNumber,
  balance: wholeNumber,
  code: data,
  storage: slots,
});

/**
 * What puts a dump's accounts in the place of those of a state. @throws RpcError when it is no dump
 */
export async function loadState(
  dump: Uint8Array,
  bytesMax: number,
): Promise<(state: EthState) => EthState> {
  const accounts = readAccounts(await unpack(dump, bytesMax));
  return (state) => {
    const overlay = new Overlay(state.world, blockHashes(state));
    for (const account of accounts) put(overlay, account);
    return { ...state, world: overlay.commit() };
  };
}

function put(overlay: Overlay, account: DumpedAccount): void {
  overlay.setNonce(account.address, account.nonce ?? 0n);
  overlay.setBalance(account.address, account.balance ?? 0n);
  overlay.setCode(account.address, account.code ?? new Uint8Array(0));
  overlay.clearStorage(account.address);
  for (const [key, value] of account.storage ?? []) {
    overlay.setStorage(account.address, key, value);
  }
}

function readAccounts(json: unknown): DumpedAccount[] {
  try {
    const { accounts } = record(json, 'state dump');
    return Object.entries(record(accounts, 'accounts')).map(([name, account]) => ({
      address: address.read(name),
      ...accountFields.read(account),
    }));
  } catch (error) {
    if (error instanceof ParameterError) throw invalidParams(`state dump: ${error.message}`);
    throw error;
  }
}

async function unpack(dump: Uint8Array, bytesMax: number): Promise<unknown> {
  try {
    const json = await piped(dump, new DecompressionStream('gzip'), bytesMax);
    return JSON.parse(bytesToUtf8(json));
  } catch (error) {
    throw invalidParams(`state dump: ${(error as Error).message}`);
  }
}

/** @throws Error when more than `bytesMax` come out */
async function piped(
  bytes: Uint8Array,
  through: CompressionStream | DecompressionStream,
  bytesMax: number,
): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of source.pipeThrough(through)) {
    size += chunk.length;
    if (size > bytesMax) throw new Error(`it unpacks to more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return await new Blob(chunks).bytes();
}

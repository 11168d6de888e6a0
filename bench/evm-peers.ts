import { equalBytes } from '@polyvisor/bytes/bytes';
import { bytesToHex } from '@polyvisor/bytes/hex';
import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { keccak256 } from '@polyvisor/crypto/keccak';
import type { Tier } from '@polyvisor/evm/compiler/code-cache';
import { createEvm } from '@polyvisor/evm/engine';
import type { Evm, WorldState } from '@polyvisor/evm/world';
import { Anvil } from './anvil.ts';
import {
  DRIVER_ADDRESS,
  PROGRAM_ADDRESS,
  type Program,
  SENDER_ADDRESS,
  driverCode,
  driverInput,
  readPrograms,
} from './evm-programs.ts';
import { openEthereumJs } from './ethereumjs.ts';
import {
  type Bench,
  type Figure,
  type Figures,
  compare,
  geometricMean,
  median,
  timeEach,
} from './harness.ts';
import { peerVersion } from './peers.ts';

/** Work that one measured request to anvil holds at least, in our own microseconds. */
const REQUEST_US_MIN = 4_000;
const REPEATS_MAX = 2_000;
const SAMPLES = 3;
/** The fork whose rules all run: the newest without a gas cap for a transaction. */
const FORK = 'prague';
const GAS = 1n << 50n;
const peers = ['@foundry-rs/anvil', '@ethereumjs/evm'] as const;
/** How long each program runs before it is timed. */
const WARM_UP_MS = 1_000;

/**
 * Time of each program in microseconds, warm. Ours: the engine, called as a node calls it. anvil: `eth_call` of the
 * same driver contract less one that does nothing. ethereumjs: the program once, in this process.
 */
export const evmBench = (tier: Tier): Bench => ({
  summary: `EVM programs, tier ${tier}, against ${peers.map(peerVersion).join(' and ')}`,
  run: async ({ rounds }) => {
    const programs = readPrograms();
    const evm = createEvm({ hardfork: FORK, tier });
    await using anvil = await Anvil.start(
      '--hardfork',
      FORK,
      '--disable-block-gas-limit',
      '--memory-limit',
      '4294967296',
    );
    await anvil.request('anvil_setCode', [bytesToHex(DRIVER_ADDRESS), bytesToHex(driverCode())]);
    const figures: Record<string, Figure> = {};
    for (const program of programs) {
      await anvil.request('anvil_setCode', [bytesToHex(PROGRAM_ADDRESS), bytesToHex(program.code)]);
      Object.assign(figures, await measure(program, evm, anvil, rounds));
    }
    return { ...means(figures), ...figures };
  },
});

async function measure(program: Program, evm: Evm, anvil: Anvil, rounds: number): Promise<Figures> {
  const state = stateOf(program);
  const peer = await openEthereumJs([[PROGRAM_ADDRESS, program.code]]);
  const runOurs = (times: number): Uint8Array =>
    execute(evm, state, DRIVER_ADDRESS, driverInput(program, times));
  const runAnvil = (to: Uint8Array, data: Uint8Array): Promise<unknown> =>
    anvil.request('eth_call', [
      {
        from: bytesToHex(SENDER_ADDRESS),
        to: bytesToHex(to),
        data: bytesToHex(data),
        gas: hex(GAS),
      },
      'latest',
    ]);
  const runJs = (): Promise<Uint8Array> => peer.call(SENDER_ADDRESS, PROGRAM_ADDRESS, program.data);
  await checkOutputs(program, evm, state, runAnvil, runJs);

  const once = median(await timeEach(SAMPLES, () => runOurs(1)));
  const times = Math.min(REPEATS_MAX, Math.max(1, Math.ceil(REQUEST_US_MIN / once)));
  const ours: number[] = [];
  const native: number[] = [];
  const js: number[] = [];
  const input = driverInput(program, times);
  for (const startMs = performance.now(); performance.now() < startMs + WARM_UP_MS;) runOurs(times);
  for (let round = 0; round < rounds; round++) {
    ours.push(median(await timeEach(SAMPLES, () => runOurs(times))) / times);
    const whole = median(await timeEach(SAMPLES, () => runAnvil(DRIVER_ADDRESS, input)));
    const nothing = median(await timeEach(SAMPLES, () => runAnvil(SENDER_ADDRESS, input)));
    native.push((whole - nothing) / times);
    js.push(median(await timeEach(1, runJs)));
  }
  return {
    [`${program.name} / anvil`]: compare(ours, native, 'µs'),
    [`${program.name} / ethereumjs`]: compare(ours, js, 'µs'),
  };
}

/** All three must give the same answer before they are timed. */
async function checkOutputs(
  { name, data }: Program,
  evm: Evm,
  state: WorldState,
  runAnvil: (to: Uint8Array, data: Uint8Array) => Promise<unknown>,
  runJs: () => Promise<Uint8Array>,
): Promise<void> {
  const ours = bytesToHex(execute(evm, state, PROGRAM_ADDRESS, data));
  const native = await runAnvil(PROGRAM_ADDRESS, data);
  const js = bytesToHex(await runJs());
  if (native !== ours) throw new Error(`${name}: anvil returns ${String(native)}, ours ${ours}`);
  if (js !== ours) throw new Error(`${name}: ethereumjs returns ${js}, ours ${ours}`);
}

function means(figures: Figures): Figures {
  const mean = (peer: string): Figure => {
    const of = Object.entries(figures).filter(([name]) => name.endsWith(peer));
    const ratios = of.map(([, figure]) => figure.ratio!);
    return {
      ours: geometricMean(of.map(([, figure]) => figure.ours)),
      peer: geometricMean(of.map(([, figure]) => figure.peer!)),
      ratio: geometricMean(ratios),
      unit: 'µs',
      spread: [Math.min(...ratios), Math.max(...ratios)],
    };
  };
  return {
    'geometric mean / anvil': mean('/ anvil'),
    'geometric mean / ethereumjs': mean('/ ethereumjs'),
  };
}

function execute(evm: Evm, state: WorldState, to: Uint8Array, data: Uint8Array): Uint8Array {
  const execution = evm.execute({
    message: { ...message, to, data },
    block,
    state,
    rules: 'call',
  });
  while (!execution.run(Number.MAX_SAFE_INTEGER)) continue;
  const outcome = execution.outcome!;
  if (outcome.kind !== 'executed' || outcome.status !== 'success') {
    throw new Error(`the program failed: ${JSON.stringify(outcome, (_, v) => String(v))}`);
  }
  return outcome.output;
}

function stateOf({ code }: Program): WorldState {
  const codes = new Map(
    [driverCode(), code].map((bytes) => [bytesToLatin1(keccak256(bytes)), bytes] as const),
  );
  const [driverHash, programHash] = [keccak256(driverCode()), keccak256(code)];
  const account = (codeHash: Uint8Array) => ({
    nonce: 1n,
    balance: 0n,
    codeHash,
    hasStorage: false,
  });
  return {
    account: (address) => {
      if (equalBytes(address, DRIVER_ADDRESS)) return account(driverHash);
      return equalBytes(address, PROGRAM_ADDRESS) ? account(programHash) : undefined;
    },
    code: (hash) => codes.get(bytesToLatin1(hash)) ?? NOTHING,
    storage: () => ZERO_WORD,
    blockHash: () => ZERO_WORD,
  };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

const NOTHING = new Uint8Array(0);
const ZERO_WORD = new Uint8Array(32);

const message = {
  type: 0 as const,
  sender: SENDER_ADDRESS,
  nonce: 0n,
  gasLimit: GAS,
  maxFeePerGas: 0n,
  maxPriorityFeePerGas: 0n,
  value: 0n,
  accessList: [],
  blobVersionedHashes: [],
  maxFeePerBlobGas: 0n,
  authorizationList: [],
};

const block = {
  chainId: 1n,
  number: 1n,
  timestamp: 1n,
  coinbase: new Uint8Array(20),
  gasLimit: GAS,
  baseFee: 0n,
  prevRandao: ZERO_WORD,
  blobBaseFee: 1n,
};

/**
 * The engine's linear memory. Every region has a fixed address, so generated code addresses it by constants;
 * what is not touched costs no memory, because the host maps pages on first use.
 *
 * ```
 *   0 KiB  scratch words, keccak state, block and transaction context
 *  64 KiB  frame records, one a call depth
 * 512 KiB  account index and records, digests, slot index and records
 *          undo journal, logs, operand stacks (64 KiB a frame), return data, input, code
 *   1 GiB  frame memories, stacked: a callee's begins behind its caller's; grows up to the engine's limit
 * ```
 * Numbers are kept as 256-bit words of four 64-bit limbs, least significant first.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

/** 1 KiB that belongs to the arithmetic kernels. */
export const MATH_SCRATCH = 4 * KiB;
export const KECCAK_STATE = 6 * KiB;
export const KECCAK_CONSTANTS = KECCAK_STATE + 256;
/** Scratch words of the runtime and the emitters. */
export const SCRATCH = 7 * KiB;
/** 96 bytes around which words are shifted; zero but for the middle. */
export const SHIFT_SCRATCH = 7.5 * KiB;
export const CONTEXT = 8 * KiB;
export const BLOB_HASHES = 9 * KiB;
export const BLOB_HASHES_MAX = 128;

export const FRAMES = 64 * KiB;
/** EIP-150's call depth limit: frames 0 to 1024. */
export const CALL_DEPTH_MAX = 1024;

export const ACCOUNT_INDEX = 512 * KiB;
export const ACCOUNT_INDEX_BITS = 18;
export const ACCOUNTS = 2 * MiB;
export const ACCOUNTS_END = 26 * MiB;

/** Digests of preimages of one and two words, as storage keys are. */
export const DIGESTS = 26 * MiB;
export const DIGESTS_BITS = 12;

/** Pointers to slot records that were used last, one for each of many keys: looked at before the index. */
export const SLOT_CACHE = 27 * MiB;
export const SLOT_CACHE_BITS = 10;

export const SLOT_INDEX = 32 * MiB;
export const SLOT_INDEX_BITS = 22;
export const SLOTS = 48 * MiB;
export const SLOTS_END = 288 * MiB;

export const JOURNAL = 288 * MiB;
export const JOURNAL_END = 416 * MiB;
export const LOGS = 416 * MiB;
export const LOGS_END = 480 * MiB;

/** Aligned to its size, so that `sp & (STACK_BYTES - 1)` is the depth in bytes. */
export const STACKS = 480 * MiB;
export const STACK_BYTES = 64 * KiB;
export const STACK_WORDS_MAX = 1024;

export const RETURN_DATA = 548 * MiB;
export const RETURN_DATA_END = 612 * MiB;
export const INPUT = 612 * MiB;
export const INPUT_END = 644 * MiB;
export const CODE = 644 * MiB;
export const CODE_END = 1023 * MiB;
export const FRAME_MEMORY = 1024 * MiB;

/** Zero bytes behind code: an operand of PUSH32 may reach 32 bytes over the end, and 0 is STOP. */
export const CODE_PADDING = 64;

/** Words of the block and transaction context, by index. */
export const context = {
  origin: 0,
  gasPrice: 1,
  coinbase: 2,
  timestamp: 3,
  number: 4,
  prevRandao: 5,
  gasLimit: 6,
  chainId: 7,
  baseFee: 8,
  blobBaseFee: 9,
  /** An i64: how many blob hashes there are. */
  blobCount: 10,
  /** An i64 that the hash tables mix in; a guest that knows it could make keys collide. */
  hashSeed: 11,
} as const;

/** Address of a context word. */
export function contextAddress(name: keyof typeof context): number {
  return CONTEXT + 32 * context[name];
}

/** Fields of a frame record, as byte offsets. Pointers are absolute; 32-bit unless noted. */
export const frame = {
  pc: 0,
  sp: 4,
  /** i64 */
  gas: 8,
  memoryBase: 16,
  memorySize: 20,
  code: 24,
  codeSize: 28,
  /** One byte for each code byte: 1 where a JUMPDEST stands. */
  jumpdests: 32,
  input: 36,
  inputSize: 40,
  /** Account record whose storage and balance the frame works on. */
  self: 44,
  isStatic: 48,
  /** Index into `frameKinds`. */
  kind: 52,
  journalMark: 56,
  logsMark: 60,
  /** i64 */
  refundMark: 64,
  /** Where the caller wants the output. */
  output: 72,
  outputSize: 76,
  /** Account record under creation, or 0. */
  created: 80,
  depth: 84,
  /** i64: gas the frame started with. */
  gasGiven: 88,
  /** Word. */
  caller: 96,
  /** Word. */
  value: 128,
  /** Account record at the address that was called; its code may be another's (EIP-7702). */
  called: 160,
  /** One 32-bit cell for each code byte and one more, or 0 for code that is never compiled. See `tiers.ts`. */
  cells: 164,
} as const;
export const FRAME_SIZE = 256;

export const frameKinds = [
  'CALL',
  'CALLCODE',
  'DELEGATECALL',
  'STATICCALL',
  'CREATE',
  'CREATE2',
  'SELFDESTRUCT',
] as const;
export type FrameKind = (typeof frameKinds)[number];

/** Fields of an account record. */
export const account = {
  /** Word. */
  address: 0,
  /** Word. */
  balance: 32,
  /** Word. */
  codeHash: 64,
  /** i64 */
  nonce: 96,
  flags: 104,
  code: 108,
  codeSize: 112,
  jumpdests: 116,
  /** Word: the balance before the transaction. */
  originalBalance: 120,
  /** i64 */
  originalNonce: 152,
  originalFlags: 160,
  /** Where in the index it stands: how the table is cleared. */
  indexAddress: 164,
  cells: 168,
} as const;
export const ACCOUNT_SIZE = 192;

export const accountFlag = {
  exists: 1,
  warm: 2,
  touched: 4,
  /** Created by this transaction. */
  created: 8,
  destructed: 16,
  hasStorage: 32,
  hasCode: 64,
  codeLoaded: 128,
  codeChanged: 256,
  precompile: 512,
  /** Its code is an EIP-7702 delegation designator. */
  delegated: 1024,
} as const;

/** Fields of a storage slot record. Transient slots (EIP-1153) have bit 0 of `owner` set. */
export const slot = {
  /** Word. */
  key: 0,
  /** Word: the value before the transaction. */
  original: 32,
  /** Word. */
  current: 64,
  owner: 96,
  isWarm: 100,
  indexAddress: 104,
} as const;
export const SLOT_SIZE = 112;

/** A journal entry: kind, record, and the 32 bytes that were there. */
export const journalKind = {
  slotValue: 0,
  slotWarm: 1,
  balance: 2,
  nonce: 3,
  flags: 4,
  code: 5,
} as const;
export const JOURNAL_ENTRY_SIZE = 40;

/** Fields of a remembered digest. */
export const digest = {
  /** 64 bytes; of a preimage of 32, the second half is zero. */
  preimage: 0,
  /** Word. */
  value: 64,
  /** Bytes of the preimage; 0: nothing is remembered here. */
  size: 96,
} as const;
export const DIGEST_SIZE = 128;

/** A log record: data size, topic count, padding to 16, address word; topics as words; data, padded to 8. */
export const LOG_ADDRESS = 16;
export const LOG_HEADER_SIZE = 48;

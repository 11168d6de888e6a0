/**
 * The engine's own memory, in bytes. The guest's RAM is another WebAssembly memory, so a state that is kept carries
 * what is architectural and nothing else: RAM, and the first page here. A fork shares the rest too.
 *
 *     0x000   x0 … x31      0x100  f0 … f31      0x200  the hart's other state      0x300  control registers
 *     0x600   what passes between code and JavaScript
 *     TLB     sets by mode, each with entries for reading, writing and fetching
 *     COUNTS  of landings
 *     CODE    pages of decoded instructions
 *     behind it, what is known of each page of RAM (`CodePages`)
 */
export const X = 0;
export const F = 0x100;

/** Where a write to x0 goes. */
export const SINK = 0x200;
/** i64: the next instruction's address; the present one's while JavaScript serves it. */
export const PC = 0x208;
/** i32: 0 user, 1 supervisor, 3 machine. */
export const PRIVILEGE = 0x21c;
/** i64: virtual address of the reservation, NO_RESERVATION if there is none, and what was read there. */
export const RESERVED_ADDRESS = 0x228;
export const RESERVED_VALUE = 0x230;
/** Not aligned, so no access has it. */
export const NO_RESERVATION = -1n;
/** f64: steps done; i64: what `minstret` and `mcycle` show beyond the steps, modulo 2^64. */
export const STEPS = 0x238;
export const INSTRET_OFFSET = 0x240;
export const CYCLE_OFFSET = 0x248;
/** i32: lines into the hart that are high, as bits of `mip`. */
export const LINES = 0x250;
/** i32: whether the hart waits for an interrupt. */
export const IS_WAITING = 0x254;
export const CSRS = 0x300;
/** Bytes of configuration, and i64 addresses. */
export const PMP_CONFIGS = 0x480;
export const PMP_ADDRESSES = 0x490;
/** All of the above is the hart's state; what follows can be made anew. */
export const STATE_BYTES = 0x600;

/** i64: a value that goes to or comes from JavaScript. */
export const VALUE = STATE_BYTES;
/** i32: steps left of the present stretch. */
export const LEFT = VALUE + 8;
/** i32: the TLB's sets in use. */
export const DATA_TLB = LEFT + 4;
export const FETCH_TLB = DATA_TLB + 4;
/** i32: landings after which code is compiled; 0 if it never is. */
export const HOT_LANDINGS = FETCH_TLB + 4;
/** i32: whether, and why, compiled code left an instruction to the interpreter. */
export const IS_INTERPRETED = HOT_LANDINGS + 4;
export const NO_CODE = 1;
export const OUT_OF_STEPS = 2;

/**
 * A TLB entry, 16 bytes: i64 the page's virtual address, or INVALID_TAG; i32 what makes of the low half of an address
 * the offset in RAM (reading, writing), or the place of the page's decoded instructions (fetching).
 */
export const TLB = 0x1_0000;
export const TLB_ENTRIES = 1024;
export const TLB_ENTRY_BYTES = 16;
export const READ_TLB = 0;
export const WRITE_TLB = TLB_ENTRIES * TLB_ENTRY_BYTES;
export const EXECUTE_TLB = 2 * WRITE_TLB;
export const TLB_SET_BYTES = 3 * WRITE_TLB;
/** Machine; supervisor without and with access to user pages (SUM); user. */
export const TLB_SETS = 4;
/** Has bits below the page's. */
export const INVALID_TAG = 1n;

/**
 * A decoded instruction, one for each half-word of a page:
 *
 *     0  u16 operation   2  u8 distance to the next one   3  u8 rm
 *     4  u16 rd   6  u16 rs1   8  u16 rs2   10  u16 rs3      places of registers; rs3 of a control register, or 0
 *     12 i32 imm
 */
export const RECORD_BYTES = 16;
export const RECORD_STEP = 2;
export const RECORD_RM = 3;
export const RECORD_RD = 4;
export const RECORD_RS1 = 6;
export const RECORD_RS2 = 8;
export const RECORD_RS3 = 10;
export const RECORD_IMM = 12;
/** Behind a page's 2048 stand two that lead to the next page. */
const RECORDS_BYTES = 2048 * RECORD_BYTES + 2 * RECORD_BYTES;
/**
 * Then an i32 for each half-word, for when control lands there by a jump: 0, NOT_COMPILED, or, inverted, what is
 * compiled from there on: its number in the table, and below it that of the entry.
 */
export const LANDINGS = RECORDS_BYTES;
export const ENTRY_BITS = 8;
/** Nothing can be compiled from there on. */
export const NOT_COMPILED = 1;
export const CODE_PAGE_BYTES = RECORDS_BYTES + 4 * 2048;
/**
 * u16: how often control landed where there is neither, by bits of the landing's place: its neighbours in 8 bytes of
 * code share a count, and so do places far away. Counts lie close together, for every page that is written costs a
 * fork a page of its own. With too few of them, code is taken for hot that is not.
 */
export const COUNTS = TLB + TLB_SETS * TLB_SET_BYTES;
export const COUNTS_LENGTH = 131_072;
/** From the place of a landing, less LANDINGS, to the number of its count: how far it is shifted. */
export const COUNT_SHIFT = 4;
/** A page of its own for an instruction that lies across two. */
export const CROSSING = COUNTS + 2 * COUNTS_LENGTH;
export const CODE = CROSSING + CODE_PAGE_BYTES;

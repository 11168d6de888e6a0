import { createHash } from 'node:crypto';
import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, hexToBytes } from '@polyvisor/bytes/hex';
import { concatBytes } from '@polyvisor/bytes/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blake2f } from './blake2f.ts';
import { ripemd160, sha256 } from './hashes.ts';

const SEED = 20_260_111;

/** The state of BLAKE2b-512 before its first block, the block "abc", and 3 bytes done. See EIP-152. */
const H =
  '48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5' +
  'd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b';
const ABC = `616263${'00'.repeat(125)}`;
const COUNTER = `03${'00'.repeat(15)}`;

describe('the compression function of BLAKE2b', () => {
  // Vectors 4 to 7 of EIP-152; 8 takes 2^32 rounds, and 0 to 3 are inputs that the caller refuses.
  test.each([
    [
      '00000000',
      '01',
      '08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b',
    ],
    [
      '0000000c',
      '01',
      'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
    ],
    [
      '0000000c',
      '00',
      '75ab69d3190a562c51aef8d88f1c2775876944407270c42c9844252c26d2875298743e7f6d5ea2f2d3e8d226039cd31b4e426ac4f2d3d666a610c2116fde4735',
    ],
    [
      '00000001',
      '01',
      'b63a380cb2897d521994a85234ee2c181b5f844d2c624c002677e9703449d2fba551b3a8333bcdf5f2f7e08993d53923de3d64fcc68c034e717b9293fed7a421',
    ],
  ])('%s rounds, final flag %s', (rounds, flag, expected) => {
    const output = blake2f(hexToBytes(rounds + H + ABC + COUNTER + flag));
    expect(bytesToHex(output)).toBe(`0x${expected}`);
  });

  test(`block by block it is BLAKE2b (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (message) => {
        expect(blake2b512(message)).toEqual(blake2b(message));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});

test(`SHA-256 and RIPEMD-160 are those of OpenSSL (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
      expect(Buffer.from(sha256(message))).toEqual(createHash('sha256').update(message).digest());
      expect(Buffer.from(ripemd160(message))).toEqual(
        createHash('ripemd160').update(message).digest(),
      );
    }),
    { seed: SEED },
  );
});

/** See RFC 7693, section 3.3. */
function blake2b512(message: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(message.length / 128));
  let state: Uint8Array = hexToBytes(H);
  for (let i = 0; i < blocks; i++) {
    const isLast = i === blocks - 1;
    const block = new Uint8Array(128);
    block.set(message.subarray(128 * i, 128 * (i + 1)));
    const counter = new Uint8Array(16);
    const done = isLast ? message.length : 128 * (i + 1);
    new DataView(counter.buffer).setUint32(0, done, true);
    const rounds = Uint8Array.of(0, 0, 0, 12);
    state = blake2f(concatBytes(rounds, state, block, counter, Uint8Array.of(isLast ? 1 : 0)));
  }
  return state;
}

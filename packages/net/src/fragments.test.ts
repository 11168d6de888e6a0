import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fragments } from './fragments.ts';
import { fragmentIpv4 } from './ipv4.ts';
import type { Ipv4Packet } from './ipv4.ts';
import { packetIn } from './testing/frame-guest.ts';

const SEED = 20_261_125;
const HEADER = { sourceMac: 1, destinationMac: 2, source: 3, destination: 4, protocol: 17 };

/** The pieces of a packet with `length` bytes 0, 1, 2… */
function pieces(length: number, identification = 1, mtu = 576): Ipv4Packet[] {
  const payload = Uint8Array.from({ length }, (_, at) => at);
  return fragmentIpv4(HEADER, payload, mtu, identification).map(packetIn);
}

describe('packets in pieces', () => {
  test('are whole again in any order, with pieces twice and packets mixed', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.nat()), (all, dice) => {
        const fragments = new Fragments();
        const sent = all.flatMap((length, index) => pieces(length, index));
        const mixed = sent
          .map((packet) => [dice.next().value as number, packet] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, packet]) => packet);
        const whole = mixed.flatMap((packet) => fragments.take(packet, 0) ?? []);
        const found = whole.map(({ identification, payload }) => [identification, payload.length]);
        const expected = all.map((length, index) => [length + 20 <= 576 ? 0 : index, length]);
        expect(found.toSorted()).toEqual(expected.toSorted());
        for (const { payload } of whole) {
          expect(payload.every((byte, at) => byte === (at & 255))).toBe(true);
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  test('that overlap are dropped', () => {
    const fragments = new Fragments();
    const [first, second] = pieces(900);
    expect(fragments.take(first!, 0)).toBeUndefined();
    expect(fragments.take({ ...second!, fragmentOffset: 8 }, 0)).toBeUndefined();
    expect(fragments.take(second!, 0)).toBeUndefined();
  });

  test('a piece that comes twice is no harm', () => {
    const fragments = new Fragments();
    const [first, second] = pieces(900);
    fragments.take(first!, 0);
    fragments.take(first!, 0);
    expect(fragments.take(second!, 0)?.payload).toHaveLength(900);
  });

  test.each([
    [59_999, true],
    [60_000, false],
  ])('after %d ms the rest makes a whole: %s', (waitedMs, isWhole) => {
    const fragments = new Fragments();
    const [first, second] = pieces(900);
    fragments.take(first!, 0);
    expect(fragments.take(second!, waitedMs) !== undefined).toBe(isWhole);
  });

  test.each([
    [15, true],
    [16, false],
    [17, false],
  ])('after %d others have begun the rest makes a whole: %s', (others, isWhole) => {
    const fragments = new Fragments();
    const [first, second] = pieces(900, 1000);
    fragments.take(first!, 0);
    for (let index = 0; index < others; index++) fragments.take(pieces(900, index)[0]!, 0);
    expect(fragments.take(second!, 0) !== undefined).toBe(isWhole);
  });

  test('that would be longer than a packet can be are dropped', () => {
    const fragments = new Fragments();
    const [first] = pieces(900);
    const last = { ...first!, hasMoreFragments: false };
    expect(fragments.take({ ...last, fragmentOffset: 65_528 }, 0)).toBeUndefined();
  });
});

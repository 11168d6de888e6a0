import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlainPeer } from '../testing/plain-peer.ts';
import { generator } from '../testing/random.ts';
import { Wire } from '../testing/wire.ts';
import { TCP_LIMITS, TcpEndpoint } from './endpoint.ts';
import type { TcpEnd, TcpLimits } from './endpoint.ts';
import { FLAG } from './segment.ts';
import type { Segment } from './segment.ts';

const SEED = 20_261_125;
const MSS = 1000;
const LIMITS: TcpLimits = { ...TCP_LIMITS, receiveBytes: 20_000, sendBytes: 20_000 };
const NOTHING = new Uint8Array(0);

/** An endpoint with an application that writes `data` and ends, and takes what comes, now or later. */
class Side {
  readonly endpoint: TcpEndpoint;
  readonly received: number[] = [];
  hasEnded = false;
  isOpen = false;
  end: TcpEnd | undefined;
  /** When false, what comes is kept waiting. */
  isTaking = true;
  #waiting = 0;
  #written = 0;
  readonly #data: Uint8Array;

  constructor(
    wire: { readonly nowMs: number },
    transmit: (segment: Segment) => void,
    data: Uint8Array = NOTHING,
    options: {
      readonly start?: number;
      readonly limits?: TcpLimits;
      readonly isLeftOpen?: boolean;
    } = {},
  ) {
    const { start = 1000, limits = LIMITS, isLeftOpen = false } = options;
    this.#data = data;
    this.endpoint = new TcpEndpoint({
      localPort: 80,
      remotePort: 40_000,
      mss: MSS,
      initialSequence: start,
      limits,
      nowMs: () => wire.nowMs,
      transmit,
      events: {
        opened: () => {
          this.isOpen = true;
          this.#write(isLeftOpen);
        },
        received: (bytes) => {
          this.received.push(...bytes);
          this.#waiting += bytes.length;
          if (this.isTaking) this.take();
        },
        drained: () => this.#write(isLeftOpen),
        ended: () => (this.hasEnded = true),
        closed: (end) => {
          expect(this.end).toBeUndefined();
          this.end = end;
        },
      },
    });
  }

  take(): void {
    const count = this.#waiting;
    this.#waiting = 0;
    this.isTaking = true;
    this.endpoint.consumed(count);
  }

  #write(isLeftOpen: boolean): void {
    while (this.#written < this.#data.length && this.endpoint.room > 0) {
      const part = this.#data.subarray(this.#written, this.#written + 3000);
      this.#written += part.length;
      this.endpoint.write(part);
    }
    if (this.#written === this.#data.length && !isLeftOpen) this.endpoint.end();
  }
}

function bytesOf(length: number, seed: number): Uint8Array {
  const random = generator(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

/** Who got a SYN asks; everything else is for the endpoint. */
function receive(endpoint: TcpEndpoint, segment: Segment): void {
  const isSyn = (segment.flags & (FLAG.syn | FLAG.ack)) === FLAG.syn;
  if (endpoint.state === 'closed' && isSyn) {
    endpoint.ask(segment);
    endpoint.accept();
  } else endpoint.receive(segment);
}

const wires = fc.record({
  seed: fc.nat(),
  lost: fc.constantFrom(0, 0.02, 0.1, 0.2),
  doubled: fc.constantFrom(0, 0.1),
  delayed: fc.constantFrom(0, 0.1, 0.5),
});
const starts = fc.constantFrom(0, 1, 2 ** 31 - 5000, 2 ** 32 - 1, 2 ** 32 - 20_000);
const lengths = fc.oneof(fc.nat(200), fc.nat(100_000));
const HOURS = 10 * 60 * 60 * 1000;

describe('over a wire that loses, doubles and reorders', () => {
  test('all bytes arrive in order, both ways, and both ends close', () => {
    const run = fc.tuple(wires, lengths, lengths, starts, starts, fc.boolean());
    fc.assert(
      fc.property(run, ([faults, lengthA, lengthB, startA, startB, isSlow]) => {
        const wire = new Wire<Segment>(faults);
        const [dataA, dataB] = [bytesOf(lengthA, 1), bytesOf(lengthB, 2)];
        const limits = { ...LIMITS, retransmitsMax: 40 };
        const a = new Side(wire, (s) => wire.send('b', s), dataA, { start: startA, limits });
        const b = new Side(wire, (s) => wire.send('a', s), dataB, { start: startB, limits });
        b.isTaking = !isSlow;
        a.endpoint.connect();
        const deliver = {
          a: (segment: Segment) => receive(a.endpoint, segment),
          b: (segment: Segment) => receive(b.endpoint, segment),
        };
        const timed = [a.endpoint, b.endpoint];
        wire.run(deliver, timed, 60_000);
        b.take();
        wire.run(deliver, timed, HOURS);
        expect(Buffer.compare(Buffer.from(b.received), dataA)).toBe(0);
        expect(Buffer.compare(Buffer.from(a.received), dataB)).toBe(0);
        expect([a.end, b.end, a.hasEnded, b.hasEnded]).toEqual(['done', 'done', true, true]);
        expect([a.endpoint.state, b.endpoint.state]).toEqual(['closed', 'closed']);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  test('with a peer of the plainest kind too', () => {
    fc.assert(
      fc.property(wires, fc.nat(5000), fc.nat(5000), starts, starts, (faults, a, b, s, t) => {
        const wire = new Wire<Segment>(faults);
        const [dataPeer, data] = [bytesOf(a, 1), bytesOf(b, 2)];
        const limits = { ...LIMITS, retransmitsMax: 40 };
        const side = new Side(wire, (sent) => wire.send('a', sent), data, { start: s, limits });
        const now = (): number => wire.nowMs;
        const peer = new PlainPeer((sent) => wire.send('b', sent), now, dataPeer, t);
        const deliver = {
          a: (segment: Segment) => peer.receive(segment),
          b: (segment: Segment) => receive(side.endpoint, segment),
        };
        wire.run(deliver, [peer, side.endpoint], HOURS);
        expect(Buffer.compare(Buffer.from(side.received), dataPeer)).toBe(0);
        expect(Buffer.compare(Buffer.from(peer.received), data)).toBe(0);
        expect([peer.isDone, peer.isReset, side.end]).toEqual([true, false, 'done']);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

/** A peer played by the test: it has sent SYN with number 100 and window 10000, and knows the answer. */
function scripted(
  options: { readonly window?: number; readonly limits?: Partial<TcpLimits> } = {},
) {
  const clock = { nowMs: 0 };
  const sent: Segment[] = [];
  const limits = { ...LIMITS, ...options.limits };
  const transmit = (segment: Segment): unknown => sent.push(segment);
  const side = new Side(clock, transmit, NOTHING, { isLeftOpen: true, limits });
  const { endpoint } = side;
  const { window = 10_000 } = options;
  const send = (segment: Partial<Segment>): Segment[] => {
    sent.length = 0;
    const plain = {
      sourcePort: 40_000,
      destinationPort: 80,
      flags: FLAG.ack,
      window,
      payload: NOTHING,
    };
    const whole = { ...plain, sequence: 101, acknowledgment: 1001, ...segment };
    if (side.end === undefined) receive(endpoint, whole);
    else endpoint.receive(whole);
    return [...sent];
  };
  const wait = (ms: number): Segment[] => {
    sent.length = 0;
    clock.nowMs += ms;
    endpoint.advance();
    return [...sent];
  };
  return { clock, sent, side, endpoint, send, wait };
}

function opened(options: Parameters<typeof scripted>[0] = {}) {
  const play = scripted(options);
  play.send({ sequence: 100, flags: FLAG.syn, mss: 500 });
  play.send({});
  expect(play.side.isOpen).toBe(true);
  return play;
}

const text = (segments: readonly Segment[]): string[] =>
  segments.map(({ flags, sequence, acknowledgment, payload }) => {
    const names = Object.entries(FLAG).filter(([, bit]) => (flags & bit) !== 0);
    return `${names.map(([name]) => name).join('+')} ${sequence} ${acknowledgment} ${payload.length}`;
  });

describe('opening', () => {
  test('a SYN is answered with the options that it has', () => {
    const play = scripted({ limits: { receiveBytes: 300_000 } });
    const [plain] = play.send({ sequence: 100, flags: FLAG.syn });
    expect(plain).toMatchObject({ mss: MSS, windowShift: undefined, window: 65_535 });
    const other = scripted({ limits: { receiveBytes: 300_000 } });
    const [scaled] = other.send({ sequence: 100, flags: FLAG.syn, windowShift: 7 });
    expect(scaled).toMatchObject({ windowShift: 3, acknowledgment: 101, sequence: 1000 });
  });

  test('a SYN that comes again is answered again', () => {
    const play = scripted();
    const first = play.send({ sequence: 100, flags: FLAG.syn });
    expect(text(play.send({ sequence: 100, flags: FLAG.syn }))).toEqual(text(first));
  });

  test('an acknowledgment of something else is reset', () => {
    const play = scripted();
    play.send({ sequence: 100, flags: FLAG.syn });
    expect(text(play.send({ acknowledgment: 1002 }))).toEqual(['rst 1002 0 0']);
    expect(play.side.isOpen).toBe(false);
  });

  test('a question that nobody answers is asked with growing patience, then given up', () => {
    const play = scripted({ limits: { retransmitsMax: 3 } });
    play.endpoint.connect();
    const at: number[] = [];
    while (play.endpoint.deadlineMs < Infinity) {
      at.push(play.endpoint.deadlineMs);
      play.wait(play.endpoint.deadlineMs - play.clock.nowMs);
    }
    expect(at).toEqual([1000, 3000, 7000, 15_000]);
    expect(play.side.end).toBe('timeout');
  });

  test('a refusal counts only if it is for our question', () => {
    const play = scripted();
    play.endpoint.connect();
    play.send({ flags: FLAG.rst | FLAG.ack, acknowledgment: 1002 });
    expect(play.side.end).toBeUndefined();
    play.send({ flags: FLAG.rst | FLAG.ack, acknowledgment: 1001 });
    expect(play.side.end).toBe('refused');
  });

  test('both may ask at once', () => {
    const play = scripted();
    play.endpoint.connect();
    expect(text(play.send({ sequence: 100, flags: FLAG.syn }))).toEqual(['syn+ack 1000 101 0']);
    play.send({});
    expect(play.endpoint.state).toBe('established');
  });

  test('refusing resets', () => {
    const play = scripted();
    play.endpoint.ask({
      sourcePort: 1,
      destinationPort: 2,
      sequence: 100,
      acknowledgment: 0,
      flags: FLAG.syn,
      window: 0,
      payload: NOTHING,
    });
    play.endpoint.refuse();
    expect(text(play.sent)).toEqual(['rst+ack 0 101 0']);
  });
});

describe('sending', () => {
  test('segments are as large as the peer takes, and within its window', () => {
    const play = opened({ window: 1200 });
    play.sent.length = 0;
    play.endpoint.write(bytesOf(3000, 1));
    expect(play.sent.map(({ payload }) => payload.length)).toEqual([500, 500]);
    expect(text(play.send({ acknowledgment: 2001 }))).toEqual([
      'ack 2001 101 500',
      'ack 2501 101 500',
    ]);
  });

  test('three equal acknowledgments have the first segment sent again at once', () => {
    const play = opened();
    play.endpoint.write(bytesOf(3000, 1));
    expect(play.send({})).toEqual([]);
    expect(play.send({})).toEqual([]);
    expect(text(play.send({}))).toEqual(['ack 1001 101 500']);
  });

  test('a shut window is asked about until it opens, for as long as the peer answers', () => {
    const play = opened();
    play.send({ window: 0 });
    play.endpoint.write(bytesOf(10, 1));
    for (let round = 0; round < 30; round++) {
      const probes = play.wait(play.endpoint.deadlineMs - play.clock.nowMs);
      expect(text(probes)).toEqual(['ack 1000 101 0']);
      play.send({ window: 0 });
    }
    expect(text(play.send({ window: 100 }))).toEqual(['psh+ack 1001 101 10']);
  });

  test('a shut window that nobody answers for is given up', () => {
    const play = opened({ limits: { retransmitsMax: 3 } });
    play.send({ window: 0 });
    play.endpoint.write(bytesOf(10, 1));
    for (let round = 0; round < 4; round++) play.wait(30_000);
    expect(play.side.end).toBe('timeout');
  });

  test.each([
    [19_999, true],
    [20_000, false],
    [20_001, false],
  ])('after %d bytes of 20000 there is room: %s', (length, hasRoom) => {
    const play = opened({ window: 0 });
    expect(play.endpoint.write(bytesOf(length, 1))).toBe(hasRoom);
  });
});

describe('receiving', () => {
  test('two full segments, or 20 ms, are worth an acknowledgment', () => {
    const play = opened();
    expect(play.send({ payload: bytesOf(MSS, 1) })).toEqual([]);
    expect(text(play.send({ sequence: 1101, payload: bytesOf(MSS, 1) }))).toEqual([
      'ack 1001 2101 0',
    ]);
    play.send({ sequence: 2101, payload: bytesOf(1, 1) });
    expect(text(play.wait(20))).toEqual(['ack 1001 2102 0']);
  });

  test('what comes too early waits, and is asked for', () => {
    const play = opened();
    expect(text(play.send({ sequence: 103, payload: Uint8Array.of(3, 4) }))).toEqual([
      'ack 1001 101 0',
    ]);
    expect(text(play.send({ payload: Uint8Array.of(1, 2) }))).toEqual(['ack 1001 105 0']);
    expect(play.side.received).toEqual([1, 2, 3, 4]);
  });

  test('the window is what the application has not taken, and opens in steps', () => {
    const play = opened();
    play.side.isTaking = false;
    for (let at = 0; at < 20_000; at += MSS)
      play.send({ sequence: 101 + at, payload: bytesOf(MSS, 1) });
    expect(play.send({ sequence: 20_101, payload: bytesOf(1, 1) })[0]?.window).toBe(0);
    expect(play.side.received).toHaveLength(20_000);
    play.sent.length = 0;
    play.endpoint.consumed(2 * MSS - 1);
    expect(play.sent).toEqual([]);
    play.endpoint.consumed(1);
    expect(play.sent[0]?.window).toBe(2 * MSS);
  });

  test('a reset counts only if it is exact', () => {
    const play = opened();
    expect(text(play.send({ flags: FLAG.rst, sequence: 102 }))).toEqual(['ack 1001 101 0']);
    expect(play.send({ flags: FLAG.rst, sequence: 50_000 })).toEqual([]);
    expect(play.side.end).toBeUndefined();
    play.send({ flags: FLAG.rst });
    expect(play.side.end).toBe('reset');
  });

  test('a SYN in the middle is answered with where we are, ten times in 100 ms', () => {
    const play = opened();
    let answers = 0;
    for (let round = 0; round < 50; round++) answers += play.send({ flags: FLAG.syn }).length;
    expect(answers).toBe(10);
    play.clock.nowMs += 100;
    expect(text(play.send({ flags: FLAG.syn }))).toEqual(['ack 1001 101 0']);
  });
});

describe('closing', () => {
  test('the peer first', () => {
    const play = opened();
    expect(text(play.send({ flags: FLAG.fin | FLAG.ack }))).toEqual(['ack 1001 102 0']);
    expect([play.endpoint.state, play.side.hasEnded]).toEqual(['close-wait', true]);
    play.endpoint.write(bytesOf(5, 1));
    play.endpoint.end();
    play.send({ sequence: 102, acknowledgment: 1007 });
    expect([play.endpoint.state, play.side.end]).toEqual(['closed', 'done']);
  });

  test('we first; strays are answered for 10 s', () => {
    const play = opened();
    play.endpoint.end();
    play.send({ acknowledgment: 1002 });
    expect(play.endpoint.state).toBe('fin-wait-2');
    const fin = { flags: FLAG.fin | FLAG.ack, acknowledgment: 1002 };
    play.send(fin);
    expect([play.endpoint.state, play.side.end]).toEqual(['time-wait', 'done']);
    expect(text(play.send(fin))).toEqual(['ack 1002 102 0']);
    play.wait(9_999);
    expect(play.endpoint.state).toBe('time-wait');
    play.wait(1);
    expect(play.endpoint.state).toBe('closed');
  });

  test('both at once', () => {
    const play = opened();
    play.endpoint.end();
    play.send({ flags: FLAG.fin | FLAG.ack });
    expect(play.endpoint.state).toBe('closing');
    play.send({ sequence: 102, acknowledgment: 1002 });
    expect([play.endpoint.state, play.side.end]).toEqual(['time-wait', 'done']);
  });

  test('a FIN before its turn waits for it', () => {
    const play = opened();
    play.send({ sequence: 103, flags: FLAG.fin | FLAG.ack, payload: Uint8Array.of(3) });
    expect(play.side.hasEnded).toBe(false);
    play.send({ payload: Uint8Array.of(1, 2) });
    expect([play.side.hasEnded, play.side.received]).toEqual([true, [1, 2, 3]]);
  });

  test('aborting resets', () => {
    const play = opened();
    play.sent.length = 0;
    play.endpoint.abort();
    expect([text(play.sent), play.side.end]).toEqual([['rst+ack 1001 101 0'], 'reset']);
  });
});

test('whatever comes, it throws nothing and says only once that it is over', () => {
  const near = (center: number) =>
    fc.integer({ min: -3000, max: 3000 }).map((d) => (center + d) >>> 0);
  const segment = fc.record({
    sequence: fc.oneof(near(101), fc.nat(0xffffffff)),
    acknowledgment: fc.oneof(near(1001), fc.nat(0xffffffff)),
    flags: fc.oneof(fc.constant(FLAG.ack), fc.nat(255)),
    window: fc.nat(65_535),
    payload: fc.uint8Array({ maxLength: 50 }),
    mss: fc.option(fc.nat(65_535), { nil: undefined }),
    windowShift: fc.option(fc.nat(14), { nil: undefined }),
  });
  const action = fc.oneof(
    { weight: 6, arbitrary: segment },
    { weight: 1, arbitrary: fc.constantFrom('write', 'end', 'wait', 'abort') },
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(action, { maxLength: 40 }), (isOpen, actions) => {
      const play = isOpen ? opened() : scripted();
      for (const taken of actions) {
        if (taken === 'write') play.endpoint.write(bytesOf(700, 1));
        else if (taken === 'end') play.endpoint.end();
        else if (taken === 'abort') play.endpoint.abort();
        else if (taken === 'wait') play.wait(1000);
        else play.send(taken);
        expect(play.sent.length).toBeLessThan(100);
      }
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { BROADCAST_MAC, parseIpv4, parseMac } from './address.ts';
import type { Ipv4 } from './address.ts';
import { makeArp, parseArp } from './arp.ts';
import { parseEthernet, viewOf } from './ethernet.ts';
import { Gateway } from './gateway.ts';
import type { GatewayOptions } from './gateway.ts';
import { PROTOCOL, fragmentIpv4 } from './ipv4.ts';
import { parseAllowRule } from './policy.ts';
import { TCP_LIMITS, TcpEndpoint } from './tcp/endpoint.ts';
import { FLAG } from './tcp/segment.ts';
import type { Segment } from './tcp/segment.ts';
import { FrameGuest, dnsIn, packetIn, segmentIn, udpIn } from './testing/frame-guest.ts';
import { generator } from './testing/random.ts';
import { ScriptedDoor, ScriptedSocket } from './testing/scripted-door.ts';
import { makeUdp } from './udp.ts';

const SEED = 20_261_125;
const ip = (text: string): Ipv4 => parseIpv4(text)!;
const MAC = parseMac('52:54:00:00:00:01')!;
const GATEWAY_MAC = parseMac('52:55:0a:00:02:02')!;
const GATEWAY = ip('10.0.2.2');
const GUEST = ip('10.0.2.15');
const OUTSIDE = ip('93.184.216.34');
const NOTHING = new Uint8Array(0);
const code = (name: string): unknown => expect.objectContaining({ code: name });

let clock: { nowMs: number };
let door: ScriptedDoor;
let sent: Uint8Array[];
let gateway: Gateway;
let guest: FrameGuest;

/** A gateway with one guest, `web`, which may reach what the rules say. */
function start(allow: readonly string[], options: Partial<GatewayOptions> = {}): void {
  clock = { nowMs: 0 };
  door = new ScriptedDoor();
  sent = [];
  const random = generator(SEED);
  gateway = new Gateway({
    door,
    transmit: (frame) => sent.push(frame),
    nowMs: () => clock.nowMs,
    random32: () => Math.floor(random() * 2 ** 32),
    ...options,
  });
  const rules = allow.map(parseAllowRule);
  gateway.addGuest({ name: 'web', mac: MAC, address: GUEST, allow: rules });
  guest = new FrameGuest(MAC, GUEST, GATEWAY_MAC, (frame) => gateway.receive(frame));
}

/** Frames since the last time. */
function take(): Uint8Array[] {
  return sent.splice(0);
}

beforeEach(() => start([]));

describe('on the wire', () => {
  test('ARP says where the gateway is, and nobody else', () => {
    const ask = (target: Ipv4): void => {
      const arp = { operation: 'request', senderMac: MAC, sender: GUEST, target } as const;
      gateway.receive(makeArp(arp, BROADCAST_MAC, 0));
    };
    ask(GATEWAY);
    const reply = parseEthernet(take()[0]!)!;
    expect(reply).toMatchObject({ destination: MAC, source: GATEWAY_MAC });
    expect(parseArp(reply.payload)).toMatchObject({ operation: 'reply', sender: GATEWAY });
    ask(ip('10.0.2.16'));
    expect(take()).toEqual([]);
  });

  test('an echo comes back from the gateway, not from outside', () => {
    const echo = Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1);
    guest.ip(GATEWAY, PROTOCOL.icmp, echo);
    const reply = packetIn(take()[0]!);
    expect(reply).toMatchObject({ source: GATEWAY, destination: GUEST, protocol: PROTOCOL.icmp });
    expect(reply.payload).toEqual(Uint8Array.of(0, 0, 0xff, 0xfd, 0, 1, 0, 1));
    guest.ip(OUTSIDE, PROTOCOL.icmp, echo);
    expect(packetIn(take()[0]!).payload.subarray(0, 2)).toEqual(Uint8Array.of(3, 13));
  });

  test('a guest that speaks for another is not heard', () => {
    const datagram = { sourcePort: 1, destinationPort: 53, payload: NOTHING };
    guest.udp(OUTSIDE, datagram, ip('10.0.2.16'));
    const stranger = new FrameGuest(MAC + 1, GUEST, GATEWAY_MAC, (f) => gateway.receive(f));
    stranger.udp(OUTSIDE, datagram);
    expect(take()).toEqual([]);
  });
});

describe('DHCP', () => {
  function ask(type: number, options: readonly number[] = [], mac = MAC): void {
    const payload = new Uint8Array(240 + 4 + options.length);
    const view = viewOf(payload);
    view.setUint32(0, 0x01010600);
    view.setUint32(4, 0xabcd);
    view.setUint16(28, Math.floor(mac / 2 ** 32));
    view.setUint32(30, mac % 2 ** 32);
    view.setUint32(236, 0x63825363);
    payload.set([53, 1, type, ...options, 255], 240);
    guest.udp(0xffff_ffff, { sourcePort: 68, destinationPort: 67, payload }, 0);
  }
  const typeIn = (frame: Uint8Array): number => udpIn(frame).payload[242]!;

  test('a guest is offered its address, and given it', () => {
    ask(1);
    const [offer] = take();
    const { payload } = udpIn(offer!);
    expect([typeIn(offer!), viewOf(payload).getUint32(16)]).toEqual([2, GUEST]);
    ask(3, [50, 4, 10, 0, 2, 15]);
    expect(take().map(typeIn)).toEqual([5]);
    ask(3, [50, 4, 10, 0, 2, 16]);
    expect(take().map(typeIn)).toEqual([6]);
  });

  test('another server, or another client, is not answered', () => {
    ask(3, [50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 77]);
    ask(1, [], MAC + 1);
    expect(take()).toEqual([]);
  });
});

describe('DNS', () => {
  const ask = (name: string, type?: number): void => guest.askDns(GATEWAY, name, type);

  test('siblings have names, in any case, with and without the domain', () => {
    gateway.addGuest({ name: 'db', mac: MAC + 1, address: ip('10.0.2.16') });
    for (const name of ['db', 'DB.internal', 'db.INTERNAL']) ask(name);
    const answer = { code: 0, addresses: [ip('10.0.2.16')] };
    expect(take().map(dnsIn)).toEqual([answer, answer, answer]);
    ask('gateway');
    ask('cache');
    ask('db', 28);
    expect(take().map(dnsIn)).toEqual([
      { code: 0, addresses: [GATEWAY] },
      { code: 3, addresses: [] },
      { code: 0, addresses: [] },
    ]);
    ask('16.2.0.10.in-addr.arpa', 12);
    expect(Buffer.from(udpIn(take()[0]!).payload).toString('latin1')).toContain(
      '\x02db\x08internal',
    );
    gateway.removeGuest('db');
    ask('db');
    expect(take().map(dnsIn)).toEqual([{ code: 3, addresses: [] }]);
  });

  test('names outside are asked for only where a rule allows it', () => {
    start(['*.debian.org:443']);
    ask('evil.org');
    expect(take().map(dnsIn)).toEqual([{ code: 5, addresses: [] }]);
    ask('deb.debian.org');
    expect(door.asked.map(({ name }) => name)).toEqual(['deb.debian.org']);
    door.asked[0]!.done([OUTSIDE]);
    expect(take().map(dnsIn)).toEqual([{ code: 0, addresses: [OUTSIDE] }]);
  });

  test('a name that nobody has, or nobody could ask for', () => {
    start(['internet']);
    ask('a.org');
    door.asked[0]!.done([]);
    ask('b.org');
    door.asked[1]!.done(undefined);
    expect(take().map((frame) => dnsIn(frame).code)).toEqual([3, 2]);
  });

  test.each([
    [2, [5]],
    [3, []],
    [4, []],
  ])('three questions where %d may wait', (questionsMax, codes) => {
    start(['internet'], { limits: { questionsMax } });
    for (const name of ['a.org', 'b.org', 'c.org']) ask(name);
    expect(take().map((frame) => dnsIn(frame).code)).toEqual(codes);
  });
});

describe('rules', () => {
  const syn: Segment = {
    sourcePort: 4000,
    destinationPort: 443,
    sequence: 1,
    acknowledgment: 0,
    flags: FLAG.syn,
    window: 1000,
    payload: NOTHING,
  };
  const datagram = { sourcePort: 4000, destinationPort: 443, payload: Uint8Array.of(1) };

  test('without any nothing leaves, and the guest is told', () => {
    guest.tcp(OUTSIDE, syn);
    expect(segmentIn(take()[0]!)).toMatchObject({ flags: FLAG.rst | FLAG.ack, acknowledgment: 2 });
    guest.udp(OUTSIDE, datagram);
    const refusal = packetIn(take()[0]!);
    expect([refusal.protocol, ...refusal.payload.subarray(0, 2)]).toEqual([PROTOCOL.icmp, 3, 13]);
    expect([door.connections, door.datagrams]).toEqual([[], []]);
  });

  test('an address of an allowed name may be reached on its ports', () => {
    start(['tcp:deb.debian.org:443']);
    guest.tcp(OUTSIDE, syn);
    guest.askDns(GATEWAY, 'deb.debian.org');
    expect(door.connections).toEqual([]);
    door.asked[0]!.done([OUTSIDE]);
    guest.tcp(OUTSIDE, { ...syn, sourcePort: 4001 });
    guest.tcp(OUTSIDE, { ...syn, destinationPort: 80 });
    guest.udp(OUTSIDE, datagram);
    expect(door.connections).toMatchObject([{ to: OUTSIDE, port: 443 }]);
    expect(door.datagrams).toEqual([]);
  });

  test('a name that points into the host’s own network opens nothing', () => {
    start(['rebind.example']);
    guest.askDns(GATEWAY, 'rebind.example');
    for (const address of ['127.0.0.1', '10.1.1.1', '169.254.169.254', '192.168.0.1']) {
      door.asked[0]!.done([ip(address)]);
      guest.tcp(ip(address), syn);
    }
    expect(door.connections).toEqual([]);
  });

  test('the internet is not the network of the host', () => {
    start(['internet']);
    guest.tcp(OUTSIDE, syn);
    for (const address of ['127.0.0.1', '10.1.1.1', '169.254.169.254', '192.168.0.1']) {
      guest.tcp(ip(address), syn);
    }
    guest.tcp(GATEWAY, syn);
    expect(door.connections).toMatchObject([{ to: OUTSIDE }]);
  });

  test('the host itself is at the gateway’s address', () => {
    start(['host:443']);
    guest.tcp(GATEWAY, syn);
    guest.udp(GATEWAY, datagram);
    const loopback = ip('127.0.0.1');
    expect(door.connections).toMatchObject([{ to: loopback, port: 443 }]);
    door.received[0]!(loopback, 443, Uint8Array.of(9));
    expect(packetIn(take()[0]!).source).toBe(GATEWAY);
  });
});

describe('datagrams', () => {
  const datagram = { sourcePort: 4000, destinationPort: 123, payload: Uint8Array.of(1, 2) };

  beforeEach(() => start(['internet', '8.8.8.0/24']));

  test('answers come back from those who were asked, in fragments if need be', () => {
    guest.udp(OUTSIDE, datagram);
    expect(door.datagrams).toEqual([{ to: OUTSIDE, port: 123, bytes: Uint8Array.of(1, 2) }]);
    door.received[0]!(OUTSIDE, 124, Uint8Array.of(3));
    door.received[0]!(ip('8.8.8.8'), 123, Uint8Array.of(3));
    expect(take()).toEqual([]);
    door.received[0]!(OUTSIDE, 123, Uint8Array.of(3));
    expect(udpIn(take()[0]!)).toMatchObject({ sourcePort: 123, destinationPort: 4000 });
    door.received[0]!(OUTSIDE, 123, new Uint8Array(4000));
    const pieces = take().map(packetIn);
    expect(
      pieces.map(({ fragmentOffset, hasMoreFragments, payload }) => {
        return [fragmentOffset, hasMoreFragments, payload.length];
      }),
    ).toEqual([
      [0, true, 1480],
      [1480, true, 1480],
      [2960, false, 1048],
    ]);
  });

  test('large ones of the guest are put together', () => {
    const bytes = Uint8Array.from({ length: 4000 }, (_, at) => at);
    const ends = { source: GUEST, destination: OUTSIDE };
    const payload = makeUdp({ ...datagram, payload: bytes }, ends);
    const header = { ...ends, sourceMac: MAC, destinationMac: GATEWAY_MAC, protocol: PROTOCOL.udp };
    for (const frame of fragmentIpv4(header, payload, 1500, 7)) gateway.receive(frame);
    expect(door.datagrams).toEqual([{ to: OUTSIDE, port: 123, bytes }]);
  });

  test('a port that is not used for a minute is given back', () => {
    guest.udp(OUTSIDE, datagram);
    clock.nowMs = gateway.deadlineMs - 1;
    gateway.advance();
    expect(door.openSockets).toBe(1);
    clock.nowMs = gateway.deadlineMs;
    gateway.advance();
    expect([door.openSockets, clock.nowMs, gateway.deadlineMs]).toEqual([0, 60_000, Infinity]);
  });

  test.each([
    [2, 2],
    [3, 3],
    [4, 3],
  ])('three ports where %d may be open', (flowsMax, open) => {
    start(['internet'], { limits: { flowsMax } });
    for (const sourcePort of [1, 2, 3]) guest.udp(OUTSIDE, { ...datagram, sourcePort });
    expect(door.openSockets).toBe(open);
  });
});

/** The guest's own TCP, for connections it makes or answers. */
function guestTcp(remote: Ipv4, remotePort: number, localPort: number) {
  const received: number[] = [];
  const told: string[] = [];
  const endpoint = new TcpEndpoint({
    localPort,
    remotePort,
    mss: 1460,
    initialSequence: 77,
    limits: TCP_LIMITS,
    nowMs: () => clock.nowMs,
    transmit: (segment) => guest.tcp(remote, segment),
    events: {
      opened: () => told.push('opened'),
      received: (bytes) => {
        received.push(...bytes);
        endpoint.consumed(bytes.length);
      },
      drained: () => {},
      ended: () => told.push('ended'),
      closed: (end) => told.push(end),
    },
  });
  /** Lets the guest see what the gateway sent, until both are quiet. */
  const settle = (): void => {
    while (sent.length > 0) for (const frame of take()) endpoint.receive(segmentIn(frame));
  };
  return { endpoint, received, told, settle };
}

describe('connections', () => {
  beforeEach(() => start(['internet']));

  test('one is open when the outside is, and bytes go both ways until both end', () => {
    const tcp = guestTcp(OUTSIDE, 80, 4000);
    tcp.endpoint.connect();
    expect(take()).toEqual([]);
    const { socket } = door.connections[0]!;
    socket.events!.opened();
    tcp.settle();
    expect(tcp.told).toEqual(['opened']);
    tcp.endpoint.write(Uint8Array.of(1, 2, 3));
    socket.events!.received(new Uint8Array(5000).fill(7));
    tcp.settle();
    expect(Buffer.concat(socket.written)).toEqual(Buffer.from([1, 2, 3]));
    expect(tcp.received).toEqual(Array.from({ length: 5000 }, () => 7));
    tcp.endpoint.end();
    tcp.settle();
    expect(socket.calls).toEqual(['end']);
    socket.events!.ended();
    socket.events!.closed('done');
    tcp.settle();
    expect(tcp.told).toEqual(['opened', 'ended', 'done']);
    gateway.advance();
  });

  test.each(['refused', 'unreachable', 'timeout'] as const)('one that is %s is reset', (end) => {
    const tcp = guestTcp(OUTSIDE, 80, 4000);
    tcp.endpoint.connect();
    door.connections[0]!.socket.events!.closed(end);
    tcp.settle();
    expect(tcp.told).toEqual(['refused']);
  });

  test('each side’s reset is the other’s', () => {
    const first = guestTcp(OUTSIDE, 80, 4000);
    first.endpoint.connect();
    door.connections[0]!.socket.events!.opened();
    first.settle();
    door.connections[0]!.socket.events!.closed('reset');
    first.settle();
    expect(first.told).toEqual(['opened', 'reset']);
    const second = guestTcp(OUTSIDE, 80, 4001);
    second.endpoint.connect();
    door.connections[1]!.socket.events!.opened();
    second.settle();
    second.endpoint.abort();
    expect(door.connections[1]!.socket.calls).toEqual(['destroy']);
  });

  test('a slow guest slows the outside, a slow outside the guest', () => {
    const tcp = guestTcp(OUTSIDE, 80, 4000);
    tcp.endpoint.connect();
    const { socket } = door.connections[0]!;
    socket.events!.opened();
    tcp.settle();
    socket.events!.received(new Uint8Array(TCP_LIMITS.sendBytes));
    expect(socket.calls).toEqual(['pause']);
    tcp.settle();
    expect(socket.calls).toEqual(['pause', 'resume']);
    socket.isDraining = false;
    tcp.endpoint.write(new Uint8Array(TCP_LIMITS.receiveBytes + 1));
    tcp.settle();
    const through = (): number => Buffer.concat(socket.written).length;
    // The last bytes of a window are less than a segment, and not worth one.
    expect(TCP_LIMITS.receiveBytes - through()).toBeGreaterThanOrEqual(0);
    expect(TCP_LIMITS.receiveBytes - through()).toBeLessThan(1460);
    socket.events!.written(through());
    tcp.settle();
    expect(through()).toBe(TCP_LIMITS.receiveBytes + 1);
  });

  test('the host’s port is joined to the guest’s', () => {
    const socket = new ScriptedSocket();
    const events = gateway.forward('web', 22, socket);
    socket.events = events;
    const syn = segmentIn(sent[0]!);
    expect([syn.destinationPort, packetIn(sent[0]!).source]).toEqual([22, GATEWAY]);
    const tcp = guestTcp(GATEWAY, syn.sourcePort, 22);
    tcp.endpoint.ask(segmentIn(take()[0]!));
    tcp.endpoint.accept();
    tcp.settle();
    events.received(Uint8Array.of(5));
    tcp.endpoint.write(Uint8Array.of(6));
    tcp.settle();
    expect([tcp.received, socket.written]).toEqual([[5], [Uint8Array.of(6)]]);
    expect(() => gateway.forward('nobody', 22, socket)).toThrow(code('net-guest'));
  });

  test('a port that the guest does not serve ends the socket', () => {
    const socket = new ScriptedSocket();
    gateway.forward('web', 22, socket);
    const syn = segmentIn(take()[0]!);
    guest.tcp(GATEWAY, {
      ...syn,
      sourcePort: 22,
      destinationPort: syn.sourcePort,
      acknowledgment: (syn.sequence + 1) >>> 0,
      sequence: 0,
      flags: FLAG.rst | FLAG.ack,
    });
    expect(socket.calls).toEqual(['destroy']);
  });

  test.each([
    [2, 2],
    [3, 3],
    [4, 3],
  ])('three connections where %d may be', (connectionsMax, made) => {
    start(['internet'], { limits: { connectionsMax } });
    for (const port of [1, 2, 3]) guestTcp(OUTSIDE, 80, port).endpoint.connect();
    expect([door.connections.length, take().length]).toEqual([made, 3 - made]);
  });

  test('one on which nothing is said for two hours and four minutes ends', () => {
    const tcp = guestTcp(OUTSIDE, 80, 4000);
    tcp.endpoint.connect();
    const { socket } = door.connections[0]!;
    socket.events!.opened();
    tcp.settle();
    clock.nowMs = gateway.deadlineMs;
    gateway.advance();
    expect([clock.nowMs, socket.calls, gateway.deadlineMs]).toEqual([
      7_440_000,
      ['destroy'],
      Infinity,
    ]);
  });

  test('those of a guest that is gone end', () => {
    const tcp = guestTcp(OUTSIDE, 80, 4000);
    tcp.endpoint.connect();
    gateway.removeGuest('web');
    expect(door.connections[0]!.socket.calls).toEqual(['destroy']);
    expect(gateway.deadlineMs).toBe(Infinity);
  });

  test('a segment of no connection is reset', () => {
    const stray = { sourcePort: 1, destinationPort: 2, sequence: 5, acknowledgment: 9, window: 1 };
    guest.tcp(OUTSIDE, { ...stray, flags: FLAG.ack, payload: NOTHING });
    expect(segmentIn(take()[0]!)).toMatchObject({ flags: FLAG.rst, sequence: 9 });
    guest.tcp(OUTSIDE, { ...stray, flags: FLAG.rst, payload: NOTHING });
    expect(take()).toEqual([]);
  });
});

test('guests that can not be on the network are refused', () => {
  const add =
    (change: object): unknown =>
    () =>
      gateway.addGuest({ name: 'db', mac: MAC + 1, address: ip('10.0.2.16'), ...change });
  for (const change of [
    { name: 'web' },
    { name: 'Web' },
    { name: '-a' },
    { name: 'a'.repeat(64) },
    { mac: MAC },
    { mac: BROADCAST_MAC },
    { mac: GATEWAY_MAC },
    { address: GUEST },
    { address: GATEWAY },
    { address: ip('10.0.2.0') },
    { address: ip('10.0.2.255') },
    { address: ip('10.0.3.1') },
  ]) {
    expect(add(change)).toThrow(code('net-option'));
  }
  expect(add({ name: 'a'.repeat(63) })).not.toThrow();
});

test('whatever frames a guest sends, nothing is thrown', () => {
  start(['internet', 'host']);
  const tcp = guestTcp(OUTSIDE, 80, 4000);
  const seeds: Uint8Array[] = [];
  const recorder = new FrameGuest(MAC, GUEST, GATEWAY_MAC, (frame) => seeds.push(frame));
  recorder.askDns(GATEWAY, 'a.example.org');
  recorder.udp(OUTSIDE, { sourcePort: 1, destinationPort: 2, payload: new Uint8Array(20) });
  recorder.udp(
    0xffff_ffff,
    { sourcePort: 68, destinationPort: 67, payload: new Uint8Array(300) },
    0,
  );
  recorder.ip(GATEWAY, PROTOCOL.icmp, Uint8Array.of(8, 0, 0, 0, 1, 2, 3, 4));
  const segment = { sourcePort: 4000, destinationPort: 80, sequence: 77, acknowledgment: 0 };
  const rest = { window: 9, mss: 1460, windowShift: 3, payload: NOTHING };
  recorder.tcp(OUTSIDE, { ...segment, flags: FLAG.syn, ...rest });
  recorder.tcp(OUTSIDE, { ...segment, flags: FLAG.ack, ...rest, payload: new Uint8Array(9) });
  const arp = { operation: 'request', senderMac: MAC, sender: GUEST, target: GATEWAY } as const;
  seeds.push(makeArp(arp, BROADCAST_MAC, 0));
  tcp.endpoint.connect();
  door.connections[0]!.socket.events!.opened();
  const frame = fc
    .record({
      seed: fc.constantFrom(...seeds),
      changes: fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }),
      length: fc.option(fc.nat(120), { nil: undefined, freq: 4 }),
    })
    .map(({ seed, changes, length }) => {
      const made = seed.slice(0, length);
      for (const [at, value] of changes) if (at < made.length) made[at] = value;
      return made;
    });
  fc.assert(
    fc.property(
      fc.oneof(frame, fc.uint8Array({ maxLength: 100 })),
      fc.boolean(),
      (bytes, isTrusted) => {
        gateway.receive(bytes, isTrusted);
        clock.nowMs += 1;
        gateway.advance();
        for (const { done } of door.asked.splice(0)) done([OUTSIDE]);
        for (const made of take()) expect(parseEthernet(made)).toBeDefined();
      },
    ),
    { seed: SEED, numRuns: 20_000 },
  );
});

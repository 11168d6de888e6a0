import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { GUEST_BUSYBOX, GUEST_MODULES } from '@polyvisor/images/guest/guest-files';
import { fillStore } from '../conformance/debian-boot.ts';
import { type Bench, compare } from './harness.ts';
import { type Command, EMULATOR, checkInstalled, emulatorWith, oursWith } from './machines.ts';
import { timeMarks } from './marked-guest.ts';
import { makeMicroGuest } from './micro-guest.ts';

const CACHE = join(import.meta.dirname, '..', '.cache', 'computer');
const OUR_CARD = ['--allow', 'host'];
const EMULATOR_CARD = '-netdev user,id=net -device virtio-net-pci,netdev=net'.split(' ');
/** In each direction. */
const BYTES = 2 ** 26;
const PIECE = Buffer.alloc(2 ** 16, 'polyvisor');

/** One TCP connection in each direction, from a guest's `nc` to a server at the host's loopback address. */
export const bench: Bench = {
  summary: `a computer's network, 64 MiB to the host and from it, against ${EMULATOR}'s user network`,
  async run({ rounds }) {
    checkInstalled(EMULATOR);
    await fillStore(CACHE);
    const folder = mkdtempSync(join(CACHE, 'bench-'));
    const sent: { ms: number | undefined } = { ms: undefined };
    const sink = await listen((socket) => takeAll(socket, sent));
    const source = await listen(giveAll);
    try {
      const guest = makeMicroGuest(CACHE, folder, initOf(portOf(sink), portOf(source)));
      const ours: Rates[] = [];
      const peers: Rates[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await measure(sent, oursWith(guest, { more: OUR_CARD })));
        peers.push(await measure(sent, emulatorWith(guest, { more: EMULATOR_CARD })));
      }
      const of = (rates: readonly Rates[], what: keyof Rates): number[] =>
        rates.map((each) => each[what]);
      return {
        'guest to host': compare(of(ours, 'send'), of(peers, 'send'), 'Mbit/s', 'rate'),
        'host to guest': compare(of(ours, 'receive'), of(peers, 'receive'), 'Mbit/s', 'rate'),
      };
    } finally {
      sink.close();
      source.close();
      rmSync(folder, { recursive: true });
    }
  },
};

/** Megabits a second. */
interface Rates {
  readonly send: number;
  readonly receive: number;
}

/** `dd` has the socket itself: `nc` moves 1024 bytes at a time. */
function initOf(sinkPort: number, sourcePort: number): string {
  return `#!/${GUEST_BUSYBOX} sh
box=/${GUEST_BUSYBOX}
$box mount -t devtmpfs dev /dev
for module in /${GUEST_MODULES}/1/*.ko; do $box insmod "$module"; done
$box ip link set eth0 up
$box ip address add 10.0.2.15/24 dev eth0
$box nc 10.0.2.2 ${sinkPort} -e $box dd if=/dev/zero bs=64k count=${BYTES / 2 ** 16}
echo BEGIN-receive
$box nc 10.0.2.2 ${sourcePort} -e $box dd of=/dev/null bs=64k
echo END-receive
$box poweroff -f
`;
}

async function measure(sent: { ms: number | undefined }, command: Command): Promise<Rates> {
  sent.ms = undefined;
  const at = await timeMarks(command);
  if (sent.ms === undefined) throw new Error('not all bytes came from the guest');
  const rate = (ms: number): number => (BYTES * 8) / 1e3 / ms;
  return { send: rate(sent.ms), receive: rate(at('END-receive') - at('BEGIN-receive')) };
}

async function listen(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Notes how long it took, from the connection to its end, if all bytes came. */
function takeAll(socket: Socket, sent: { ms: number | undefined }): void {
  const startMs = performance.now();
  let count = 0;
  socket.on('data', ({ length }) => {
    count += length;
  });
  socket.on('end', () => {
    if (count === BYTES) sent.ms = performance.now() - startMs;
    socket.end();
  });
}

function giveAll(socket: Socket): void {
  let left = BYTES;
  const give = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!socket.write(PIECE)) {
        socket.once('drain', give);
        return;
      }
    }
    socket.end();
  };
  socket.resume();
  give();
}

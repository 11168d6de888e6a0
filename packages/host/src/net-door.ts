import { createSocket } from 'node:dgram';
import type { Socket as NodeDatagramSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { HostError } from '@polyvisor/errors/host-error';
import { formatIpv4, parseIpv4 } from '@polyvisor/net/address';
import type { Ipv4 } from '@polyvisor/net/address';
import type {
  DatagramSocket,
  DoorEnd,
  NetDoor,
  StreamEvents,
  StreamSocket,
} from '@polyvisor/net/net-door';

export interface NodeNetDoorOptions {
  /** Default: the name servers of the host. */
  readonly resolver?: Resolver;
  /** Default: 30 s. */
  readonly connectMsMax?: number;
}

/** The outside world through Node's sockets. Closes all of them when it is disposed of. */
export class NodeNetDoor implements NetDoor, Disposable {
  readonly #resolver: Resolver;
  readonly #connectMsMax: number;
  readonly #streams = new Set<Socket>();
  readonly #datagrams = new Set<NodeDatagramSocket>();

  constructor(options: NodeNetDoorOptions = {}) {
    this.#resolver = options.resolver ?? new Resolver();
    this.#connectMsMax = options.connectMsMax ?? 30_000;
  }

  connectTcp(to: Ipv4, port: number, events: StreamEvents): StreamSocket {
    const socket = connect({ host: formatIpv4(to), port, allowHalfOpen: true, noDelay: true });
    this.#streams.add(socket);
    socket.once('close', () => this.#streams.delete(socket));
    const patience = setTimeout(() => socket.destroy(timedOut()), this.#connectMsMax).unref();
    socket.once('connect', () => {
      clearTimeout(patience);
      events.opened();
    });
    socket.once('close', () => clearTimeout(patience));
    return join(socket, () => events);
  }

  openUdp(received: (from: Ipv4, port: number, bytes: Uint8Array) => void): DatagramSocket {
    const socket = createSocket('udp4');
    this.#datagrams.add(socket);
    socket.on('message', (bytes, { address, port }) => {
      const from = parseIpv4(address);
      if (from !== undefined) received(from, port, bytes);
    });
    // A datagram that doesn't arrive is no error, and the next one may.
    socket.on('error', () => {});
    return {
      send: (to, port, bytes) => {
        if (this.#datagrams.has(socket)) socket.send(bytes.slice(), port, formatIpv4(to), () => {});
      },
      close: () => {
        if (this.#datagrams.delete(socket)) socket.close();
      },
    };
  }

  resolve(name: string, done: (addresses: readonly Ipv4[] | undefined) => void): void {
    this.#resolver.resolve4(name).then(
      (found) => done(found.map(parseIpv4).filter((address) => address !== undefined)),
      (error: NodeJS.ErrnoException) => done(hasNone(error) ? [] : undefined),
    );
  }

  [Symbol.dispose](): void {
    for (const socket of this.#streams) socket.destroy();
    for (const socket of this.#datagrams) socket.close();
    this.#datagrams.clear();
  }
}

export interface PortForward extends AsyncDisposable {
  /** The port of the host. */
  readonly port: number;
}

export interface PortForwardOptions {
  /** Address of the host that it listens at. Default: 127.0.0.1. */
  readonly bind?: string;
  /** Port of the host; 0: any that is free. */
  readonly port: number;
  /** Joins a socket to the guest: `gateway.forward(name, guestPort, socket)`. It may throw a HostError. */
  readonly forward: (socket: StreamSocket) => StreamEvents;
}

/**
 * Listens at a port of the host, and joins each connection to a guest.
 * @throws HostError `port-busy` when it can't listen
 */
export async function forwardPort(options: PortForwardOptions): Promise<PortForward> {
  const { bind = '127.0.0.1', port, forward } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    let events: StreamEvents | undefined;
    const joined = join(socket, () => events);
    try {
      events = forward(joined);
    } catch (error) {
      socket.destroy();
      if (!(error instanceof HostError)) throw error;
    }
  });
  await listen(server, port, bind);
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A Node socket as the network holds it; tells `events` what happens to it, once there are some. */
function join(socket: Socket, events: () => StreamEvents | undefined): StreamSocket {
  let end: DoorEnd = 'done';
  let isDestroyed = false;
  const tell = (use: (to: StreamEvents) => void): void => {
    const to = events();
    if (to && !isDestroyed) use(to);
  };
  // Without an encoding it's never text.
  socket.on('data', (bytes) => tell((to) => to.received(bytes as Buffer)));
  socket.on('end', () => tell((to) => to.ended()));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end = endOf(error);
  });
  socket.once('close', () => tell((to) => to.closed(end)));
  return {
    write: (bytes) => {
      const { length } = bytes;
      socket.write(bytes.slice(), (error) => {
        if (!error) tell((to) => to.written(length));
      });
    },
    end: () => socket.end(),
    destroy: () => {
      isDestroyed = true;
      socket.resetAndDestroy();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

const ENDS: Readonly<Record<string, DoorEnd>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
};

function endOf(error: NodeJS.ErrnoException): DoorEnd {
  return ENDS[error.code ?? ''] ?? 'reset';
}

function timedOut(): Error {
  return Object.assign(new Error('nobody answered'), { code: 'ETIMEDOUT' });
}

function hasNone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

async function listen(server: Server, port: number, bind: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, bind, resolve);
    });
  } catch (error) {
    const message = `can't listen at ${bind}:${port}: ${String(error)}`;
    throw new HostError('port-busy', message, 'choose another port, or 0 for any that is free', {
      cause: error,
    });
  }
}

import type { Ipv4 } from '../address.ts';
import type { DatagramSocket, NetDoor, StreamEvents, StreamSocket } from '../net-door.ts';

/** A connection that a gateway made, or was given, as the test that plays the outside sees it. */
export class ScriptedSocket implements StreamSocket {
  readonly calls: string[] = [];
  readonly written: Uint8Array[] = [];
  events: StreamEvents | undefined;
  /** Whether bytes leave at once. */
  isDraining = true;
  onWrite: ((bytes: Uint8Array) => void) | undefined;

  write(bytes: Uint8Array): void {
    this.written.push(bytes.slice());
    if (this.isDraining) this.events?.written(bytes.length);
    this.onWrite?.(bytes);
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }
}

export interface Datagram {
  readonly to: Ipv4;
  readonly port: number;
  readonly bytes: Uint8Array;
}

export class ScriptedDoor implements NetDoor {
  readonly connections: {
    readonly to: Ipv4;
    readonly port: number;
    readonly socket: ScriptedSocket;
  }[] = [];
  readonly datagrams: Datagram[] = [];
  readonly received: ((from: Ipv4, port: number, bytes: Uint8Array) => void)[] = [];
  readonly asked: {
    readonly name: string;
    readonly done: (addresses?: readonly Ipv4[]) => void;
  }[] = [];
  openSockets = 0;

  connectTcp(to: Ipv4, port: number, events: StreamEvents): StreamSocket {
    const socket = new ScriptedSocket();
    socket.events = events;
    this.connections.push({ to, port, socket });
    return socket;
  }

  openUdp(received: (from: Ipv4, port: number, bytes: Uint8Array) => void): DatagramSocket {
    this.received.push(received);
    this.openSockets++;
    return {
      send: (to, port, bytes) => this.datagrams.push({ to, port, bytes: bytes.slice() }),
      close: () => this.openSockets--,
    };
  }

  resolve(name: string, done: (addresses?: readonly Ipv4[]) => void): void {
    this.asked.push({ name, done });
  }
}

import type { Ipv4 } from './address.ts';

/** Why a connection to the outside is no more, or never was. */
export type DoorEnd = 'done' | 'refused' | 'unreachable' | 'timeout' | 'reset';

/** A stream socket of the host, as the network holds it. Calls after its end do nothing. */
export interface StreamSocket {
  /** Copies the bytes; `written` tells when they have left. */
  write(bytes: Uint8Array): void;
  /** Sends no more after what was written. */
  end(): void;
  /** Ends it at once; nothing more is told. */
  destroy(): void;
  /** Reads no more until `resume`. */
  pause(): void;
  resume(): void;
}

/** What the host tells about a stream socket. */
export interface StreamEvents {
  opened(): void;
  /** Gives the bytes away. */
  received(bytes: Uint8Array): void;
  /** So many of the bytes written have left. */
  written(count: number): void;
  /** The other side sends no more. */
  ended(): void;
  /** The last that is told. */
  closed(end: DoorEnd): void;
}

export interface DatagramSocket {
  /** Copies the bytes. */
  send(to: Ipv4, port: number, bytes: Uint8Array): void;
  close(): void;
}

/**
 * The outside world, as the host lets it in: the only way that bytes of guests leave. Nothing calls back before the
 * call that it belongs to has returned.
 */
export interface NetDoor {
  connectTcp(to: Ipv4, port: number, events: StreamEvents): StreamSocket;
  openUdp(received: (from: Ipv4, port: number, bytes: Uint8Array) => void): DatagramSocket;
  /** Addresses of a name; none when it has none; undefined when nobody could say. */
  resolve(name: string, done: (addresses: readonly Ipv4[] | undefined) => void): void;
}

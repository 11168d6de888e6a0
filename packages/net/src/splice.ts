import type { DoorEnd, StreamEvents, StreamSocket } from './net-door.ts';
import { TcpEndpoint } from './tcp/endpoint.ts';
import type { TcpParts } from './tcp/endpoint.ts';

/**
 * A guest's connection joined to a socket of the host: bytes go through, each side is slowed to the other's speed,
 * and the end of one is the end of the other.
 */
export class Splice {
  readonly endpoint: TcpEndpoint;
  #socket: StreamSocket | undefined;
  #isPaused = false;
  /** When something last went through, for what is idle to be found. */
  #usedAtMs: number;

  constructor(parts: Omit<TcpParts, 'events'>) {
    this.#usedAtMs = parts.nowMs();
    this.endpoint = new TcpEndpoint({
      ...parts,
      events: {
        opened: () => {},
        received: (bytes) => {
          this.#usedAtMs = parts.nowMs();
          this.#socket?.write(bytes);
        },
        drained: () => {
          if (this.#isPaused) this.#socket?.resume();
          this.#isPaused = false;
        },
        ended: () => this.#socket?.end(),
        closed: (end) => {
          // With 'done' both directions have ended, but the host may still have bytes to send.
          if (end !== 'done') this.#destroySocket();
        },
      },
    });
  }

  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  /** Whether nothing is left to be done for it. */
  get isOver(): boolean {
    return this.endpoint.state === 'closed';
  }

  /** Gives it the socket. Nothing is told before. */
  join(socket: StreamSocket): void {
    this.#socket = socket;
  }

  /** What the host tells about the socket; `opened` says that the guest's question is answered with yes. */
  events(nowMs: () => number): StreamEvents {
    const { endpoint } = this;
    return {
      opened: () => endpoint.accept(),
      received: (bytes) => {
        this.#usedAtMs = nowMs();
        if (!endpoint.write(bytes) && !this.#isPaused) {
          this.#isPaused = true;
          this.#socket?.pause();
        }
      },
      written: (count) => endpoint.consumed(count),
      ended: () => endpoint.end(),
      closed: (end: DoorEnd) => {
        this.#socket = undefined;
        if (endpoint.state === 'asked') endpoint.refuse();
        else if (end === 'done') endpoint.end();
        else endpoint.abort();
      },
    };
  }

  /** Ends it at once, on both sides. */
  destroy(): void {
    this.endpoint.abort();
    this.#destroySocket();
  }

  #destroySocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

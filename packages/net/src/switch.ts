import { HostError } from '@polyvisor/errors/host-error';
import { formatMac, isGroupMac, readMac } from './address.ts';
import type { Mac } from './address.ts';
import { ETHERNET_BYTES, viewOf } from './ethernet.ts';
import { RateLimiter } from './token-bucket.ts';
import type { RateLimits } from './token-bucket.ts';

/** An Ethernet frame that holds the largest IPv4 packet. */
export const FRAME_BYTES_MAX = ETHERNET_BYTES + 65_535;

export interface SwitchOptions {
  readonly nowMs: () => number;
  /** Default: 256. */
  readonly portsMax?: number;
  /** Addresses learned at most; frames to others go to all ports. Default: 4096. */
  readonly addressesMax?: number;
  /** Bytes that wait at most for a port with limits; what comes after is lost. Default: 256 KiB. */
  readonly waitingBytesMax?: number;
}

export interface PortOptions {
  /** The only address that it may send from. Default: any, which are learned. */
  readonly mac?: Mac;
  /** Gets a frame, which it may keep and must not change: other ports have it, too. */
  readonly deliver: (frame: Uint8Array) => void;
  /** What comes from the port. */
  readonly sendLimits?: RateLimits;
  /** What goes to it. */
  readonly receiveLimits?: RateLimits;
}

export interface SwitchPort extends Disposable {
  /**
   * Sends a frame, which nobody changes any more. What breaks other rules counts as sent, and is lost.
   * @returns false when the port's limits don't let it pass yet: the same frame may be sent again after `sendWaitMs`
   */
  send(frame: Uint8Array): boolean;
  /** Milliseconds until a frame of so many bytes may be sent. */
  sendWaitMs(bytes: number): number;
}

interface Port {
  readonly options: PortOptions;
  readonly sending: RateLimiter;
  readonly receiving: RateLimiter;
  waiting: Uint8Array[];
  waitingBytes: number;
}

/**
 * A learning switch: frames go to the port that their destination was last seen at, or to all others. A port with an
 * address of its own can't send from another, so nobody takes a neighbour's frames.
 */
export class Switch {
  readonly #nowMs: () => number;
  readonly #limits: Required<Omit<SwitchOptions, 'nowMs'>>;
  readonly #ports = new Set<Port>();
  readonly #addresses = new Map<Mac, Port>();

  constructor({ nowMs, ...limits }: SwitchOptions) {
    this.#nowMs = nowMs;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** @throws HostError `net-option` when it has no more ports, or another one has the address */
  addPort(options: PortOptions): SwitchPort {
    const { mac } = options;
    if (this.#ports.size >= this.#limits.portsMax) {
      throw new HostError('net-option', `the switch has ${this.#ports.size} ports, and no more`);
    }
    if (mac !== undefined) {
      const isTaken = [...this.#ports].some((other) => other.options.mac === mac);
      if (isTaken || isGroupMac(mac)) {
        throw new HostError('net-option', `${formatMac(mac)} can't be this port's address`);
      }
    }
    const now = this.#nowMs();
    const port: Port = {
      options,
      sending: new RateLimiter(options.sendLimits ?? {}, now),
      receiving: new RateLimiter(options.receiveLimits ?? {}, now),
      waiting: [],
      waitingBytes: 0,
    };
    this.#ports.add(port);
    if (mac !== undefined) this.#addresses.set(mac, port);
    return {
      send: (frame) => this.#send(port, frame),
      sendWaitMs: (bytes) => port.sending.waitMs(bytes, this.#nowMs()),
      [Symbol.dispose]: () => this.#remove(port),
    };
  }

  /** When `advance` has something to do; Infinity when nothing. */
  get deadlineMs(): number {
    const now = this.#nowMs();
    let deadline = Infinity;
    for (const { waiting, receiving } of this.#ports) {
      const next = waiting[0];
      if (next) deadline = Math.min(deadline, now + receiving.waitMs(next.length, now));
    }
    return deadline;
  }

  /** Delivers what waited and may pass now. */
  advance(): void {
    const now = this.#nowMs();
    for (const port of this.#ports) {
      let count = 0;
      for (const frame of port.waiting) {
        if (!port.receiving.take(frame.length, now)) break;
        port.waitingBytes -= frame.length;
        count++;
      }
      for (const frame of port.waiting.splice(0, count)) port.options.deliver(frame);
    }
  }

  #send(from: Port, frame: Uint8Array): boolean {
    if (!this.#ports.has(from)) return true;
    if (frame.length < ETHERNET_BYTES || frame.length > FRAME_BYTES_MAX) return true;
    const view = viewOf(frame);
    const [destination, source] = [readMac(view, 0), readMac(view, 6)];
    if (isGroupMac(source)) return true;
    if (from.options.mac !== undefined && source !== from.options.mac) return true;
    if (!from.sending.take(frame.length, this.#nowMs())) return false;
    if (from.options.mac === undefined) this.#learn(source, from);
    const to = isGroupMac(destination) ? undefined : this.#addresses.get(destination);
    if (to) {
      if (to !== from) this.#deliver(to, frame);
    } else {
      for (const port of this.#ports) if (port !== from) this.#deliver(port, frame);
    }
    return true;
  }

  #deliver(port: Port, frame: Uint8Array): void {
    if (port.waiting.length === 0 && port.receiving.take(frame.length, this.#nowMs())) {
      port.options.deliver(frame);
    } else if (port.waitingBytes + frame.length <= this.#limits.waitingBytesMax) {
      port.waiting.push(frame);
      port.waitingBytes += frame.length;
    }
  }

  #learn(mac: Mac, port: Port): void {
    const known = this.#addresses.get(mac);
    if (known === port || known?.options.mac !== undefined) return;
    if (known || this.#addresses.size < this.#limits.addressesMax) this.#addresses.set(mac, port);
  }

  #remove(port: Port): void {
    this.#ports.delete(port);
    for (const [mac, owner] of this.#addresses) if (owner === port) this.#addresses.delete(mac);
  }
}

const DEFAULTS = { portsMax: 256, addressesMax: 4096, waitingBytesMax: 256 * 1024 } as const;

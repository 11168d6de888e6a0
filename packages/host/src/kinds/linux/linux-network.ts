import { VirtioNet } from '@polyvisor/board/virtio/net';
import { parseIpv4, writeMac } from '@polyvisor/net/address';
import type { Ipv4, Mac } from '@polyvisor/net/address';
import { Gateway } from '@polyvisor/net/gateway';
import { parseAllowRule } from '@polyvisor/net/policy';
import type { NetworkPolicy } from '../../guest-spec.ts';
import type { Endpoint } from '../../instance.ts';
import { NodeNetDoor, forwardPort } from '../../net-door.ts';
import type { PortForward } from '../../net-door.ts';
import type { Forward } from './linux-types.ts';

/** Where every guest's own network has it; the gateway is 10.0.2.2, as with QEMU's user network. */
const GUEST_ADDRESS: Ipv4 = parseIpv4('10.0.2.15')!;

/**
 * Bytes of the largest IP packet between a guest and its gateway. Nothing but memory is between them, and each packet
 * costs the same: the host's sockets cut streams to what real networks take. 16 bytes less than there could be, for the
 * header of a frame, and a multiple of the guest's words.
 */
const MTU = 65_504;

export interface LinuxNetworkOptions {
  /** What the guest is called on its network. */
  readonly name: string;
  readonly mac: Mac;
  readonly policy: NetworkPolicy;
  readonly forwards: readonly Forward[];
  readonly nowMs: () => number;
  readonly random32: () => number;
  /** A frame for the guest has come. */
  readonly onFrame: () => void;
}

/** A guest's network: a card, the gateway behind it, and the host's sockets behind that. */
export class LinuxNetwork implements Disposable {
  readonly #options: LinuxNetworkOptions;
  readonly #door = new NodeNetDoor();
  readonly #gateway: Gateway;
  #card: VirtioNet;
  #forwards: PortForward[] = [];
  #bytes = 0;

  /** @throws HostError `net-option` for a rule that can't be read */
  constructor(options: LinuxNetworkOptions) {
    this.#options = options;
    this.#card = this.#makeCard();
    this.#gateway = new Gateway({
      door: this.#door,
      mtu: MTU,
      nowMs: options.nowMs,
      random32: options.random32,
      transmit: (frame) => {
        this.#bytes += frame.length;
        if (this.#card.receive(frame)) options.onFrame();
      },
    });
    this.#addGuest();
  }

  /** Bytes of frames in both directions. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When `advance` has something to do, as `nowMs` counts; Infinity: never. */
  get deadlineMs(): number {
    return this.#gateway.deadlineMs;
  }

  advance(): void {
    if (this.#gateway.deadlineMs <= this.#options.nowMs()) this.#gateway.advance();
  }

  /** A card for a machine that is made anew; connections of the one before end. */
  replaceCard(): VirtioNet {
    this.#gateway.removeGuest(this.#options.name);
    this.#addGuest();
    this.#card = this.#makeCard();
    return this.#card;
  }

  /** Opens the forwards. @throws HostError `port-busy` */
  async listen(): Promise<readonly Endpoint[]> {
    const opened: PortForward[] = [];
    const endpoints: Endpoint[] = [];
    try {
      for (const { bind, hostPort, guestPort } of this.#options.forwards) {
        const forward = await forwardPort({
          bind,
          port: hostPort,
          forward: (socket) => this.#gateway.forward(this.#options.name, guestPort, socket),
        });
        opened.push(forward);
        endpoints.push({ protocol: `tcp/${guestPort}`, url: `tcp://${bind}:${forward.port}` });
      }
    } catch (error) {
      for (const forward of opened) await forward[Symbol.asyncDispose]();
      throw error;
    }
    this.#forwards = opened;
    return endpoints;
  }

  async unlisten(): Promise<void> {
    for (const forward of this.#forwards.splice(0)) await forward[Symbol.asyncDispose]();
  }

  [Symbol.dispose](): void {
    this.#gateway.removeGuest(this.#options.name);
    this.#door[Symbol.dispose]();
  }

  #addGuest(): void {
    const { name, mac, policy } = this.#options;
    const allow = policy === 'none' ? [] : policy.allow.map(parseAllowRule);
    this.#gateway.addGuest({ name, mac, address: GUEST_ADDRESS, allow });
  }

  #makeCard(): VirtioNet {
    const mac = new Uint8Array(6);
    writeMac(new DataView(mac.buffer), 0, this.#options.mac);
    return new VirtioNet({
      mac,
      mtu: MTU,
      transmit: (frame) => {
        this.#bytes += frame.length;
        // What lies between is a copy in memory: checksums would only be checked against themselves.
        this.#gateway.receive(frame, true);
      },
    });
  }
}

/** A guest's name as one label of a domain name. */
export function hostNameOf(name: string): string {
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return label === '' ? 'guest' : label.slice(0, 63).replace(/-+$/, '');
}

/** A locally administered address, made of a guest's id. */
export function macOf(id: string): Mac {
  // 52:54:00 is what QEMU's have in front; three bytes of the id's characters.
  let hash = 0;
  for (const character of id) hash = (hash * 33 + character.charCodeAt(0)) % 0x100_0000;
  return 0x5254_0000_0000 + hash;
}

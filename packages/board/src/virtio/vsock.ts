import { SendQueue } from '@polyvisor/net/tcp/send-queue';
import type { StateReader, StateWriter } from '../state.ts';
import type { DescriptorChain } from './chain.ts';
import type { VirtioDevice, VirtioPort } from './device.ts';
import { QUEUE_SIZE_MAX } from './queue.ts';
import { serveQueue } from './serve.ts';
import {
  HEADER_BYTES,
  OP_CREDIT_REQUEST,
  OP_CREDIT_UPDATE,
  OP_REQUEST,
  OP_RESET,
  OP_RESPONSE,
  OP_RW,
  OP_SHUTDOWN,
  type PacketHeader,
  TYPE_STREAM,
  readHeader,
  writeHeader,
} from './vsock-packet.ts';

/** @see VIRTIO 1.2, section 5.10, "Socket Device" */
const RECEIVE = 0;
const TRANSMIT = 1;
const EVENT = 2;
/** The only event that there is: all streams are gone (section 5.10.6.7). */
const EVENT_BYTES = 4;
const TRANSPORT_RESET = 0;
const HOST_CID = 2;
/** The host's ends of connections that it opens itself. */
const FIRST_HOST_PORT = 0x8000_0000;
const SHUTDOWN_RECEIVE = 1;
const SHUTDOWN_SEND = 2;

/** Bytes that the guest may have sent on a stream without the host having taken them. */
export const STREAM_BUFFER_BYTES = 262_144;
/** Bytes that the host may have written on a stream without the guest having taken them. */
export const STREAM_OUTPUT_BYTES_MAX = 262_144;
export const STREAMS_MAX = 1024;
/** Longest payload of a packet to the guest; Linux's buffers are of 4 KiB with the header. */
const PAYLOAD_BYTES_MAX = 4096 - HEADER_BYTES;

/** What somebody on the host who uses a stream hears of. */
export interface StreamListener {
  /** The guest accepted; for streams that the host opened. */
  opened?(): void;
  /** Bytes from the guest: taken, once this returns. */
  data(bytes: Uint8Array): void;
  /** The guest sends no more. */
  ended?(): void;
  /** There is room to write again. */
  drained?(): void;
  /** Nothing goes either way any more. */
  closed(): void;
}

/** One stream between a port of the guest and one of the host. */
export class VsockStream {
  readonly guestPort: number;
  readonly hostPort: number;
  listener: StreamListener | undefined;
  isOpen = false;
  isClosed = false;
  /** Bytes to send that the guest had no credit or buffer for. */
  output = new SendQueue();
  /** Credit: bytes sent, bytes that the guest says it took, the room it has. All modulo 2^32. */
  sent = 0;
  guestTaken = 0;
  guestRoom = 0;
  received = 0;
  /** The host sends no more behind its output; the guest was told; the guest sends no more. */
  isShutting = false;
  hasToldEnd = false;
  isGuestEnded = false;
  readonly #device: VirtioVsock;

  constructor(device: VirtioVsock, guestPort: number, hostPort: number) {
    this.#device = device;
    this.guestPort = guestPort;
    this.hostPort = hostPort;
  }

  /** Sends bytes. @returns how many there was room for; `drained` says when there is more */
  write(bytes: Uint8Array): number {
    if (this.isClosed || this.isShutting) return 0;
    const count = Math.min(bytes.length, STREAM_OUTPUT_BYTES_MAX - this.output.length);
    if (count === 0) return 0;
    this.output.push(bytes.slice(0, count));
    this.#device.flush();
    return count;
  }

  /** Says that nothing more comes, behind what was written. */
  end(): void {
    if (this.isClosed || this.isShutting) return;
    this.isShutting = true;
    this.#device.flush();
  }

  /** Drops the stream at once. */
  destroy(): void {
    this.#device.drop(this);
  }
}

export interface VsockOptions {
  /** The guest's address: at least 3. */
  readonly guestCid: number;
}

/** Streams between host and guest without a network: what `exec` speaks through. */
export class VirtioVsock implements VirtioDevice {
  readonly deviceId = 19;
  readonly features = 0n;
  readonly queueSizes = [QUEUE_SIZE_MAX, QUEUE_SIZE_MAX, 16];
  readonly config = new Uint8Array(8);
  readonly #guestCid: number;
  readonly #streams = new Map<string, VsockStream>();
  readonly #ports = new Map<number, (stream: VsockStream) => StreamListener | undefined>();
  /** Packets without payload that wait for a buffer. */
  #control: PacketHeader[] = [];
  #nextHostPort = FIRST_HOST_PORT;
  #port: VirtioPort | undefined;

  constructor({ guestCid }: VsockOptions) {
    this.#guestCid = guestCid;
    new DataView(this.config.buffer).setBigUint64(0, BigInt(guestCid), true);
  }

  /** Serves a port of the host. @param accept undefined refuses the connection */
  listen(hostPort: number, accept: (stream: VsockStream) => StreamListener | undefined): void {
    this.#ports.set(hostPort, accept);
  }

  /**
   * Opens a stream to a port of the guest; undefined if there are too many or the guest has no
   * driver yet.
   */
  connect(guestPort: number, listener: StreamListener): VsockStream | undefined {
    if (!this.#port || this.#streams.size >= STREAMS_MAX) return undefined;
    while (this.#streams.has(keyOf(guestPort, this.#nextHostPort))) this.#advanceHostPort();
    const stream = new VsockStream(this, guestPort, this.#nextHostPort);
    this.#advanceHostPort();
    stream.listener = listener;
    this.#streams.set(keyOf(stream.guestPort, stream.hostPort), stream);
    this.#sendControl(stream, OP_REQUEST);
    this.flush();
    return stream;
  }

  /** Sends what there are credit and buffers for. */
  flush(): void {
    const port = this.#port;
    if (!port) return;
    const queue = port.queue(RECEIVE);
    while (this.#control.length > 0) {
      const chain = queue.pop();
      if (!chain) return port.signal(RECEIVE);
      this.#put(chain, this.#control.shift()!);
      queue.push(chain);
    }
    for (const stream of this.#streams.values()) {
      if (!this.#flushStream(port, stream)) break;
    }
    port.signal(RECEIVE);
  }

  drop(stream: VsockStream): void {
    if (stream.isClosed) return;
    this.#sendControl(stream, OP_RESET);
    this.#close(stream);
    this.flush();
  }

  start(port: VirtioPort): void {
    this.#port = port;
  }

  reset(): void {
    this.#port = undefined;
    this.#control = [];
    for (const stream of this.#streams.values()) this.#close(stream);
  }

  notify(index: number): void {
    if (index === TRANSMIT) this.#receive();
    else if (index === RECEIVE) this.flush();
  }

  /** Streams end with the host that had them: a restored guest is told that all are gone. */
  saveState(out: StateWriter): void {
    out.u32(this.#nextHostPort);
  }

  loadState(from: StateReader): void {
    this.#nextHostPort = from.u32();
    const queue = this.#port?.queue(EVENT);
    const chain = queue?.pop();
    if (!queue || !chain) return;
    chain.write(new Uint8Array(EVENT_BYTES).fill(TRANSPORT_RESET));
    queue.push(chain);
    this.#port!.signal(EVENT);
  }

  #receive(): void {
    serveQueue(this.#port!, TRANSMIT, (chain) => {
      if (chain.readableBytes < HEADER_BYTES) return;
      const header = readHeader(chain.read(HEADER_BYTES));
      const isGood =
        header.length <= chain.readableBytes &&
        header.sourceCid === this.#guestCid &&
        header.targetCid === HOST_CID;
      if (isGood) this.#handle(header, chain);
    });
    this.flush();
  }

  #handle(header: PacketHeader, chain: DescriptorChain): void {
    const stream = this.#streams.get(keyOf(header.sourcePort, header.targetPort));
    if (header.type !== TYPE_STREAM) return this.#refuse(header);
    if (header.op === OP_REQUEST) return this.#accept(header);
    if (!stream) {
      // What nobody knows is answered with a reset, but a reset is not.
      if (header.op !== OP_RESET) this.#refuse(header);
      return;
    }
    stream.guestRoom = header.room;
    stream.guestTaken = header.taken;
    switch (header.op) {
      case OP_RESPONSE:
        if (!stream.isOpen) {
          stream.isOpen = true;
          stream.listener?.opened?.();
        }
        return;
      case OP_RW:
        return this.#take(stream, header, chain);
      case OP_SHUTDOWN:
        return this.#shutDown(stream, header.flags);
      case OP_RESET:
        return this.#close(stream);
      case OP_CREDIT_REQUEST:
        return this.#sendControl(stream, OP_CREDIT_UPDATE);
      case OP_CREDIT_UPDATE:
        return;
      default:
        this.#sendControl(stream, OP_RESET);
        this.#close(stream);
    }
  }

  #take(stream: VsockStream, header: PacketHeader, chain: DescriptorChain): void {
    const before = stream.received;
    stream.received = (stream.received + header.length) >>> 0;
    if (header.length > 0) stream.listener?.data(chain.read(header.length));
    if (stream.isClosed) return;
    // The guest learns that there is room again before it runs out of it.
    const half = STREAM_BUFFER_BYTES / 2;
    if (Math.floor(before / half) !== Math.floor(stream.received / half)) {
      this.#sendControl(stream, OP_CREDIT_UPDATE);
    }
  }

  #shutDown(stream: VsockStream, flags: number): void {
    if ((flags & SHUTDOWN_SEND) !== 0 && !stream.isGuestEnded) {
      stream.isGuestEnded = true;
      stream.listener?.ended?.();
    }
    if ((flags & SHUTDOWN_RECEIVE) === 0 || (flags & SHUTDOWN_SEND) === 0) return;
    this.#sendControl(stream, OP_RESET);
    this.#close(stream);
  }

  #accept(header: PacketHeader): void {
    const key = keyOf(header.sourcePort, header.targetPort);
    const accept = this.#ports.get(header.targetPort);
    if (!accept || this.#streams.has(key) || this.#streams.size >= STREAMS_MAX) {
      return this.#refuse(header);
    }
    const stream = new VsockStream(this, header.sourcePort, header.targetPort);
    stream.guestRoom = header.room;
    stream.guestTaken = header.taken;
    const listener = accept(stream);
    if (!listener) return this.#refuse(header);
    stream.listener = listener;
    stream.isOpen = true;
    this.#streams.set(key, stream);
    this.#sendControl(stream, OP_RESPONSE);
  }

  #refuse({ sourcePort, targetPort, type }: PacketHeader): void {
    const ports = { guestPort: sourcePort, hostPort: targetPort };
    this.#queueControl({ ...this.#header(ports, OP_RESET), type });
  }

  #close(stream: VsockStream): void {
    if (stream.isClosed) return;
    stream.isClosed = true;
    stream.isOpen = false;
    stream.output = new SendQueue();
    this.#streams.delete(keyOf(stream.guestPort, stream.hostPort));
    stream.listener?.closed();
  }

  /** False: out of buffers. */
  #flushStream(port: VirtioPort, stream: VsockStream): boolean {
    const queue = port.queue(RECEIVE);
    while (stream.isOpen && stream.output.length > 0) {
      const credit = stream.guestRoom - ((stream.sent - stream.guestTaken) >>> 0);
      if (credit <= 0) return true;
      const chain = queue.pop();
      if (!chain) return false;
      const room = Math.max(0, Math.min(chain.writableBytes - HEADER_BYTES, PAYLOAD_BYTES_MAX));
      const payload = stream.output.peek(0, Math.min(room, credit, stream.output.length));
      stream.output.drop(payload.length);
      stream.sent = (stream.sent + payload.length) >>> 0;
      this.#put(chain, { ...this.#header(stream, OP_RW), length: payload.length });
      chain.write(payload);
      queue.push(chain);
      if (room === 0) return false;
      if (stream.output.length === 0) stream.listener?.drained?.();
    }
    if (stream.isShutting && !stream.hasToldEnd && stream.isOpen && stream.output.length === 0) {
      const chain = queue.pop();
      if (!chain) return false;
      stream.hasToldEnd = true;
      const flags = SHUTDOWN_SEND | (stream.isGuestEnded ? SHUTDOWN_RECEIVE : 0);
      this.#put(chain, { ...this.#header(stream, OP_SHUTDOWN), flags });
      queue.push(chain);
    }
    return true;
  }

  #sendControl(stream: VsockStream, op: number): void {
    this.#queueControl(this.#header(stream, op));
  }

  #queueControl(header: PacketHeader): void {
    // A guest that sends and never gives buffers for answers gets none.
    if (this.#control.length < 2 * STREAMS_MAX) this.#control.push(header);
  }

  #header(
    ports: { guestPort: number; hostPort: number; received?: number },
    op: number,
  ): PacketHeader {
    return {
      sourceCid: HOST_CID,
      targetCid: this.#guestCid,
      sourcePort: ports.hostPort,
      targetPort: ports.guestPort,
      length: 0,
      type: TYPE_STREAM,
      op,
      flags: 0,
      room: STREAM_BUFFER_BYTES,
      taken: ports.received ?? 0,
    };
  }

  #put(chain: DescriptorChain, header: PacketHeader): void {
    if (chain.writableBytes >= HEADER_BYTES) chain.write(writeHeader(header));
  }

  #advanceHostPort(): void {
    this.#nextHostPort =
      this.#nextHostPort === 0xffff_fffe ? FIRST_HOST_PORT : this.#nextHostPort + 1;
  }
}

function keyOf(guestPort: number, hostPort: number): string {
  return `${guestPort}:${hostPort}`;
}

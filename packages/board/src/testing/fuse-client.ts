import { latin1ToBytes } from '@polyvisor/bytes/latin1';
import { concatBytes } from '@polyvisor/bytes/bytes';
import { operations } from '../fuse/protocol.ts';
import type { FuseServer } from '../fuse/server.ts';

export type Operation = keyof typeof operations;

/** A part of a request: a 32-bit number, a 64-bit one, a name with its zero byte, or bytes. */
export type Part = number | bigint | string | Uint8Array;

export interface FuseAnswer {
  readonly error: number;
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

/** A kernel that asks a server. */
export class FuseClient {
  readonly #server: FuseServer;
  #id = 0n;

  constructor(server: FuseServer) {
    this.#server = server;
  }

  /** Asks, with as much room for the answer as a kernel gives. */
  ask(operation: Operation, node: number, parts: readonly Part[] = [], room = 2 ** 16): FuseAnswer {
    const answer = this.send(operations[operation], node, parts, room);
    if (!answer) throw new Error(`${operation} was not answered`);
    const view = new DataView(answer.buffer, answer.byteOffset);
    const bytes = answer.subarray(16);
    return {
      error: view.getInt32(4, true),
      view: new DataView(answer.buffer, bytes.byteOffset),
      bytes,
    };
  }

  send(
    operation: number,
    node: number,
    parts: readonly Part[],
    room: number,
  ): Uint8Array | undefined {
    const args = concatBytes(...parts.map(partBytes));
    const request = new Uint8Array(40 + args.length);
    const view = new DataView(request.buffer);
    view.setUint32(0, request.length, true);
    view.setUint32(4, operation, true);
    view.setBigUint64(8, ++this.#id, true);
    view.setBigUint64(16, BigInt(node), true);
    view.setUint32(24, 1000, true);
    view.setUint32(28, 100, true);
    request.set(args, 40);
    return this.#server.serve(request, room);
  }
}

function partBytes(part: Part): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === 'string') return latin1ToBytes(`${part}\0`);
  const bytes = new Uint8Array(typeof part === 'bigint' ? 8 : 4);
  const view = new DataView(bytes.buffer);
  if (typeof part === 'bigint') view.setBigUint64(0, BigInt.asUintN(64, part), true);
  else view.setUint32(0, part, true);
  return bytes;
}

import type { RawData, WebSocket } from 'ws';
import { answerMessage, notificationJson } from './json-rpc.ts';
import type { Answer, JsonRpcContext } from './json-rpc.ts';
import type { RpcLimits } from './limits.ts';
import { RpcError, rpcCodes } from './rpc-error.ts';
import type { RpcService, RpcSession } from './service.ts';

export interface WebSocketDoor extends JsonRpcContext {
  readonly limits: RpcLimits;
}

/**
 * Answers the messages of one WebSocket until it closes. Answers go out as they are ready, in any
 * order.
 */
export function serveWebSocket(socket: WebSocket, door: WebSocketDoor): void {
  const session = new WebSocketSession(socket, door);
  const busy: WebSocketDoor = { ...door, service: busyService };
  let pending = 0;
  socket.on('message', (data: RawData) => {
    // Of the three forms of RawData this is the one that the default binaryType gives.
    const json = (data as Buffer).toString();
    const isBusy = pending >= door.limits.pendingMax;
    // A subscription can have something to tell before the client knows its id.
    const isBatch = BATCH.test(json);
    if (isBatch) session.hold();
    const answer = answerMessage(json, isBusy ? busy : door, session);
    if (answer instanceof Promise) {
      pending++;
      void answer.then((text) => {
        pending--;
        session.answer(text, isBatch);
      });
    } else session.answer(answer, isBatch);
  });
  // What breaks the protocol: `ws` closes the connection by itself.
  socket.on('error', () => {});
  socket.on('close', () => session.close());
}

class WebSocketSession implements RpcSession {
  readonly #socket: WebSocket;
  readonly #door: WebSocketDoor;
  readonly #closeListeners: (() => void)[] = [];
  /** Batches that are being answered: notifications wait until they are. */
  #holds = 0;
  #held: string[] = [];
  #heldLength = 0;
  #isClosed = false;

  constructor(socket: WebSocket, door: WebSocketDoor) {
    this.#socket = socket;
    this.#door = door;
  }

  readonly notify = (method: string, params: unknown): void => {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    let json: string;
    try {
      json = notificationJson(method, params);
    } catch (error) {
      this.#door.onBug(error);
      return;
    }
    if (this.#holds === 0) return this.#send(json);
    this.#held.push(json);
    this.#heldLength += json.length;
    if (this.#heldLength > this.#door.limits.unreadBytesMax) this.#giveUp();
  };

  onClose(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#closeListeners.push(listener);
  }

  hold(): void {
    this.#holds++;
  }

  answer(json: Answer, isBatch: boolean): void {
    if (json !== undefined) this.#send(json);
    if (isBatch && --this.#holds === 0) {
      this.#heldLength = 0;
      for (const held of this.#held.splice(0)) this.#send(held);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#held = [];
    for (const listener of this.#closeListeners.splice(0)) listener();
  }

  #send(json: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > this.#door.limits.unreadBytesMax) {
      return this.#giveUp();
    }
    this.#socket.send(json, ignoreFailure);
  }

  #giveUp(): void {
    this.#held = [];
    this.#socket.close(TRY_AGAIN_LATER, 'too much is unread');
  }
}

/** A connection that breaks while it is written to says so by its 'close'. */
function ignoreFailure(): void {}

const busyService: RpcService = {
  call() {
    throw new RpcError(rpcCodes.limitExceeded, 'too many calls of this connection are pending');
  },
};

const BATCH = /^\s*\[/;
/** @see RFC 6455, section 7.4, and the IANA registry of close codes */
const TRY_AGAIN_LATER = 1013;

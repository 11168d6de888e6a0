import type { Socket } from 'node:net';
import type { HttpDoor } from './http-door.ts';
import { HTTP_SESSION } from './http-door.ts';
import { answerMessage } from './json-rpc.ts';
import type { Answer } from './json-rpc.ts';

/**
 * Answers the plainest requests without node:http: a POST to `/` that came whole, in one piece and
 * alone, from a program (no Origin), with nothing unusual in its head. That is what clients send
 * nearly always, and costs half. Anything else is handed over as it came, with its connection, to
 * node:http, which decides what is right; so the lane must be strict, never complete.
 */
export class FastLane {
  readonly #socket: Socket;
  readonly #door: HttpDoor;
  readonly #lane: LaneOptions;
  /** The head of the last request: a client's next one is mostly the same, letter by letter. */
  #head = '';
  #bodyLength = 0;
  #isAnswering = false;
  #early: Buffer[] = [];

  constructor(socket: Socket, door: HttpDoor, lane: LaneOptions) {
    this.#socket = socket;
    this.#door = door;
    this.#lane = lane;
    socket.setTimeout(lane.headersTimeoutMs, this.#onTimeout);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isAnswering) {
      // Pipelined: node:http answers it, when this answer is out.
      this.#early.push(chunk);
      this.#socket.pause();
      return;
    }
    const bodyStart = this.#bodyStart(chunk);
    if (bodyStart < 0) return this.#handOver(chunk);
    const answer = answerMessage(chunk.toString('utf8', bodyStart), this.#door, HTTP_SESSION);
    if (!(answer instanceof Promise)) return this.#send(answer);
    this.#isAnswering = true;
    void answer.then((json) => {
      this.#isAnswering = false;
      this.#send(json);
      if (this.#early.length > 0) this.#handOver(Buffer.concat(this.#early.splice(0)));
      else if (this.#socket.readableEnded) this.#socket.end();
    });
  };

  readonly #onEnd = (): void => {
    if (!this.#isAnswering) this.#socket.end();
  };

  readonly #onTimeout = (): void => {
    if (this.#isAnswering) return;
    if (this.#head === '') this.#socket.end(TIMED_OUT);
    else this.#socket.destroy();
  };

  readonly #onError = (): void => {
    this.#socket.destroy();
  };

  /** Where the body begins; -1: this is for node:http. */
  #bodyStart(chunk: Buffer): number {
    const headLength = chunk.indexOf(HEAD_END);
    if (headLength < 0 || headLength > HEAD_LENGTH_MAX) return -1;
    const head = chunk.toString('latin1', 0, headLength);
    if (head !== this.#head) {
      const bodyLength = plainBodyLength(head, this.#door);
      if (bodyLength === undefined) return -1;
      // The first request came in time; the next may be waited for.
      if (this.#head === '') this.#socket.setTimeout(this.#lane.idleTimeoutMs);
      this.#head = head;
      this.#bodyLength = bodyLength;
    }
    const bodyStart = headLength + HEAD_END.length;
    return chunk.length === bodyStart + this.#bodyLength ? bodyStart : -1;
  }

  #send(answer: Answer): void {
    if (this.#socket.destroyed) return;
    const common = `${dateHeader()}${this.#lane.connectionHeaders}\r\n`;
    if (answer === undefined) this.#socket.write(`HTTP/1.1 204 No Content\r\n${common}`);
    else {
      const length = Buffer.byteLength(answer);
      this.#socket.write(`${OK}content-length: ${length}\r\n${common}${answer}`);
    }
  }

  #handOver(chunk: Buffer): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('timeout', this.#onTimeout);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(chunk);
    this.#lane.handOver(socket);
    socket.resume();
  }
}

export interface LaneOptions {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Lines that node:http sends with every answer of a kept connection. */
  readonly connectionHeaders: string;
  /** Gives a connection to node:http, what it has received so far still to be read. */
  handOver(socket: Socket): void;
}

export function connectionHeaders(idleTimeoutMs: number): string {
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(idleTimeoutMs / 1000)}\r\n`;
}

/**
 * Length of the body of a plain request; undefined for any other.
 * @param head request line and headers, without the empty line
 * @see RFC 9112, sections 3 and 5
 */
function plainBodyLength(head: string, door: HttpDoor): number | undefined {
  const [requestLine, ...lines] = head.split('\r\n');
  if (requestLine !== 'POST / HTTP/1.1') return undefined;
  let host: string | undefined;
  let bodyLength: number | undefined;
  for (const line of lines) {
    const match = HEADER.exec(line);
    if (match === null) return undefined;
    const [, name, value] = match as unknown as [string, string, string];
    switch (name.toLowerCase()) {
      case 'host':
        if (host !== undefined) return undefined;
        host = value;
        break;
      case 'content-length':
        if (bodyLength !== undefined || !/^\d{1,9}$/.test(value)) return undefined;
        bodyLength = Number(value);
        break;
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return undefined;
        break;
      default:
        if (!PLAIN_HEADERS.has(name.toLowerCase())) return undefined;
    }
  }
  if (host === undefined || !door.policy.allowsHost(host)) return undefined;
  return bodyLength !== undefined && bodyLength <= door.bodyBytesMax ? bodyLength : undefined;
}

/** Headers that change nothing about how a call is answered. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cache-control',
  'content-type',
  'pragma',
  'sec-fetch-mode',
  'user-agent',
]);

/** A token, and a value of visible ASCII, spaces and tabs. */
const HEADER =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?[ \t]*$/;
/** What node:http says too. */
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';
const HEAD_END = '\r\n\r\n';
const HEAD_LENGTH_MAX = 8 * 1024;
const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

let dateSecond = 0;
let dateLine = '';

/** @see RFC 9110, section 6.6.1; made once a second */
function dateHeader(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateLine;
}

import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** An HTTP client that sends what it is told to, right or wrong, over one connection. */
export class RawHttp implements Disposable {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<RawAnswer> | undefined;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#deliver();
    });
    const fail = (reason: string) => this.#waiting?.reject(new Error(reason));
    this.#socket.on('error', (error) => fail(error.message));
    this.#socket.on('close', () => fail('the connection closed without an answer'));
    this.#socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail('no answer'));
  }

  /** Another call has to wait for this one's answer. */
  post(body: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const all = { host: 'localhost', ...headers, 'content-length': String(body.length) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#waiting = Promise.withResolvers();
    this.#socket.write(
      Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\n${lines.join('')}\r\n`), body]),
    );
    return this.#waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #deliver(): void {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const bodyStart = headEnd + 4;
    if (this.#received.length < bodyStart + length) return;
    const body = this.#received.toString('utf8', bodyStart, bodyStart + length);
    this.#received = this.#received.subarray(bodyStart + length);
    const isLast = /^connection: close$/im.test(head);
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), body, isLast });
    this.#waiting = undefined;
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
  /** Whether the server closes the connection after it. */
  readonly isLast: boolean;
}

const ANSWER_TIMEOUT_MS = 20_000;

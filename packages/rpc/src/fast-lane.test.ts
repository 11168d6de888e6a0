import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRpcServer } from './server.ts';
import type { RpcServer } from './server.ts';
import type { RpcService } from './service.ts';

const SEED = 20_260_104;
const CASES = 150;

const service: RpcService = {
  call: (method, params) => {
    if (method === 'later') return Promise.resolve(params);
    return method === 'text' ? 'ñ → 漢' : params;
  },
};

/** Requests that a client could send, plain ones and others, with bodies that are calls or not. */
const header = fc.constantFrom(
  'content-type: application/json',
  'Content-Type:text/plain',
  'user-agent: a b',
  'connection: keep-alive',
  'accept: */*',
  'x-strange: yes',
  'origin: http://localhost:3000',
  'origin: https://evil.example',
  'host: localhost',
  'host: evil.example',
  'expect: 100-continue',
);
const body = fc.oneof(
  fc.constantFrom(
    '{"jsonrpc":"2.0","id":1,"method":"echo","params":["a"]}',
    '{"jsonrpc":"2.0","id":"é","method":"text"}',
    '{"jsonrpc":"2.0","id":1,"method":"later","params":[1]}',
    '{"jsonrpc":"2.0","method":"echo"}',
    '[{"jsonrpc":"2.0","id":1,"method":"later"},{"jsonrpc":"2.0","id":2,"method":"echo"}]',
    '{',
    '',
  ),
  fc.string(),
);
const request = fc
  .record({
    line: fc.constantFrom(
      'POST / HTTP/1.1',
      'POST / HTTP/1.1',
      'POST /v1 HTTP/1.1',
      'PUT / HTTP/1.1',
    ),
    headers: fc.array(header, { maxLength: 4 }),
    hasHost: fc.boolean(),
    body,
  })
  .map(({ line, headers, hasHost, body: text }) => {
    const host =
      hasHost || !headers.some((one) => one.startsWith('host')) ? ['Host: 127.0.0.1'] : [];
    const length = `Content-Length: ${Buffer.byteLength(text)}`;
    return `${[line, ...host, ...headers, length].join('\r\n')}\r\n\r\n${text}`;
  });

describe('the fast lane', () => {
  test(`answers as node:http does, to the letter (seed ${SEED}, ${CASES} cases)`, async () => {
    await using server = await openServer();
    await fc.assert(
      fc.asyncProperty(request, async (text) => {
        const whole = await exchange(server, [text]);
        // In two pieces it is not for the lane.
        const pieces = await exchange(server, [text.slice(0, 9), text.slice(9)]);
        expect(whole).toBe(pieces);
      }),
      { seed: SEED, numRuns: CASES },
    );
  });

  test('answers pipelined requests in order, also behind one that takes time', async () => {
    await using server = await openServer();
    const call = (id: number, method: string): string => {
      const json = `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":[${id}]}`;
      return `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
    };
    const answers = await exchange(server, [
      call(1, 'later') + call(2, 'echo'),
      call(3, 'echo'),
      call(4, 'later'),
    ]);
    const ids = Array.from(answers.matchAll(/"id":(\d)/g), ([, id]) => Number(id));
    expect(ids).toEqual([1, 2, 3, 4]);
  });

  test('hands over in the middle of a connection, and the connection goes on', async () => {
    await using server = await openServer();
    const plain = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n[]';
    const other = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const answers = await exchange(server, [plain, plain, other, plain]);
    expect(answers.match(/empty batch/g)).toHaveLength(3);
    expect(answers).toContain('ok\n');
  });
});

function openServer(): Promise<RpcServer> {
  return openRpcServer({ service, instanceId: 'i', name: 'n', kind: 'k', onBug: () => {} });
}

/** Writes the pieces one by one, ends, and gives everything that came back, dates and letter case of names aside. */
function exchange(server: RpcServer, pieces: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setNoDelay(true);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(answer.replaceAll(/^date: .*\r\n/gim, ''));
    });
    const write = (index: number): void => {
      if (index === pieces.length) return void socket.end();
      // A turn of both event loops between two pieces: the server reads them one by one.
      socket.write(pieces[index]!, () => setTimeout(() => write(index + 1), 4));
    };
    write(0);
  });
}

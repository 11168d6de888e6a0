import { expect, test } from 'vitest';
import { answerMessage } from './json-rpc.ts';
import type { JsonRpcContext } from './json-rpc.ts';
import type { RequestRecord } from './request-record.ts';
import { RpcError } from './rpc-error.ts';

const session = { notify: undefined, onClose: () => {} };
const limits = { depthMax: 128, batchLengthMax: 1000, answerBytesMax: 10_000 };

/** A service that is its methods. */
function contextOf(
  methods: Record<string, (params: unknown) => unknown>,
  more: Partial<JsonRpcContext> = {},
): JsonRpcContext {
  const callMethod = (method: string, params: unknown): unknown => {
    const found = methods[method];
    if (found === undefined) throw new RpcError(-32601, `no method ${method}`);
    return found(params);
  };
  const onBug = (error: unknown): never => {
    throw new Error('a bug that the test does not expect', { cause: error });
  };
  return {
    service: { call: callMethod },
    transport: 'http',
    limits,
    onRequest: undefined,
    onBug,
    ...more,
  };
}

const echo = contextOf({
  echo: (params) => params,
  nothing: () => undefined,
  later: async (params) => params,
});

function answerNow(json: string, context = echo): unknown {
  const text = answerMessage(json, context, session);
  expect(text).not.toBeInstanceOf(Promise);
  return text === undefined ? undefined : JSON.parse(text as string);
}

async function answer(json: string, context = echo): Promise<unknown> {
  const text = await answerMessage(json, context, session);
  return text === undefined ? undefined : JSON.parse(text);
}

function call(id: unknown, method = 'echo', params: unknown = []): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

function errorOf(code: number, message: string | RegExp, id: unknown = null): unknown {
  const text = typeof message === 'string' ? message : expect.stringMatching(message);
  return { jsonrpc: '2.0', id, error: { code, message: text } };
}

test('a call that is answered at once is answered without waiting', () => {
  expect(answerNow(call(1, 'echo', ['0x1']))).toEqual({ jsonrpc: '2.0', id: 1, result: ['0x1'] });
});

test('a call that takes time is answered when it is done', async () => {
  expect(await answer(call(1, 'later', [7]))).toEqual({ jsonrpc: '2.0', id: 1, result: [7] });
});

test('nothing is answered as null', () => {
  expect(answerNow(call(1, 'nothing'))).toEqual({ jsonrpc: '2.0', id: 1, result: null });
});

test.each([['"a"'], ['"\\u0000\\ud800\\""'], ['0'], ['-5'], ['1.5'], ['null'], ['""']])(
  'id %s comes back',
  (id) => {
    const sent = `{"jsonrpc":"2.0","id":${id},"method":"nothing"}`;
    expect(answerNow(sent)).toEqual({ jsonrpc: '2.0', id: JSON.parse(id), result: null });
  },
);

test.each(['1753142400123456789', '-9007199254740993', '1e999', '0.1000000000000000055'])(
  'id %s comes back digit by digit, in calls and batches',
  (id) => {
    const sent = `{"jsonrpc":"2.0","id":${id},"method":"echo","params":[{"id":${id}}]}`;
    const answered = answerMessage(sent, echo, session) as string;
    expect(answered).toContain(`"id":${id},"result":[{"id":${JSON.stringify(Number(id))}}]`);
    expect(answerMessage(`[1,${sent}]`, echo, session)).toContain(answered);
  },
);

test.each([['true'], ['[]'], ['{}'], ['{"json":"1"}']])('id %s is invalid', (id) => {
  const sent = `{"jsonrpc":"2.0","id":${id},"method":"echo"}`;
  expect(answerNow(sent)).toEqual(errorOf(-32600, /id must be/));
});

test.each([
  ['{"id":1,"method":"echo"}', /jsonrpc/],
  ['{"jsonrpc":"1.0","id":1,"method":"echo"}', /jsonrpc/],
  ['{"jsonrpc":2,"id":1,"method":"echo"}', /jsonrpc/],
  ['{"jsonrpc":"2.0","id":1}', /method/],
  ['{"jsonrpc":"2.0","id":1,"method":""}', /method/],
  ['{"jsonrpc":"2.0","id":1,"method":7}', /method/],
  ['{"jsonrpc":"2.0","id":1,"method":"echo","params":"x"}', /params/],
  ['{"jsonrpc":"2.0","id":1,"method":"echo","params":0}', /params/],
  ['{"jsonrpc":"2.0","id":1,"method":"echo","params":false}', /params/],
])('%s is an invalid request', (json, why) => {
  expect(answerNow(json)).toEqual(errorOf(-32600, why, 1));
});

test.each(['null', '1', '"x"', 'true', '{}'])('%s is an invalid request without id', (json) => {
  expect(answerNow(json)).toEqual(errorOf(-32600, /^invalid request/));
});

test.each(['', ' ', '{', '[1', '{"a":}', 'undefined', '\u0000'])('%j does not parse', (json) => {
  expect(answerNow(json)).toEqual(errorOf(-32700, 'parse error'));
});

test.each([
  ['', undefined],
  [',"params":null', undefined],
  [',"params":[]', []],
  [',"params":{"a":1}', { a: 1 }],
])('params%s reach the service', (member, expected) => {
  let seen: unknown = 'nothing';
  const context = contextOf({ look: (params) => void (seen = params) });
  answerNow(`{"jsonrpc":"2.0","id":1,"method":"look"${member}}`, context);
  expect(seen).toEqual(expected);
});

test('a notification is done and not answered, whatever comes of it', async () => {
  const done: unknown[] = [];
  const context = contextOf({
    note: (params) => done.push(params),
    fail: () => {
      throw new RpcError(-32000, 'no');
    },
    failLater: () => Promise.reject(new RpcError(-32000, 'no')),
  });
  expect(answerNow('{"jsonrpc":"2.0","method":"note","params":[1]}', context)).toBeUndefined();
  expect(answerNow('{"jsonrpc":"2.0","method":"fail"}', context)).toBeUndefined();
  expect(answerNow('{"jsonrpc":"2.0","method":"unknown"}', context)).toBeUndefined();
  expect(await answer('{"jsonrpc":"2.0","method":"failLater"}', context)).toBeUndefined();
  expect(done).toEqual([[1]]);
});

test('an RpcError is told as it is', async () => {
  const error = new RpcError(3, 'execution reverted', '0x08c3');
  const context = contextOf({
    fail: () => {
      throw error;
    },
    failLater: () => Promise.reject(error),
  });
  const told = { code: 3, message: 'execution reverted', data: '0x08c3' };
  expect(answerNow(call(1, 'fail'), context)).toEqual({ jsonrpc: '2.0', id: 1, error: told });
  expect(await answer(call(1, 'failLater'), context)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: told,
  });
});

const cycle: unknown[] = [];
cycle.push(cycle);

test.each([
  ['an error of another kind', () => Promise.reject(Object.assign(new Error('x'), { code: 3 }))],
  ['a string that is thrown', () => Promise.reject('x')],
  ['a bigint', () => 1n],
  ['a bigint inside', async () => ({ a: [1n] })],
  ['a cycle', () => cycle],
  ['a function', () => () => {}],
  ['a symbol', () => Symbol('x')],
  ['data with a bigint', () => Promise.reject(new RpcError(3, 'x', 1n))],
])('%s is a bug: reported, and told as an internal error only', async (_, method) => {
  const bugs: unknown[] = [];
  const context = contextOf({ bug: method }, { onBug: (error) => bugs.push(error) });
  expect(await answer(call(1, 'bug'), context)).toEqual(errorOf(-32603, 'internal error', 1));
  expect(bugs).toHaveLength(1);
});

test('a batch is answered in its order, without its notifications', () => {
  const batch = `[${call('a')},{"jsonrpc":"2.0","method":"echo"},5,${call(2, 'unknown')}]`;
  expect(answerNow(batch)).toEqual([
    { jsonrpc: '2.0', id: 'a', result: [] },
    errorOf(-32600, /an object/),
    errorOf(-32601, 'no method unknown', 2),
  ]);
});

test('a call of a batch starts when the one before it is done', async () => {
  const steps: string[] = [];
  const context = contextOf({
    slow: async () => {
      steps.push('slow starts');
      await Promise.resolve();
      steps.push('slow ends');
    },
    fast: () => void steps.push('fast'),
  });
  await answer(`[${call(1, 'fast')},${call(2, 'slow')},${call(3, 'fast')}]`, context);
  expect(steps).toEqual(['fast', 'slow starts', 'slow ends', 'fast']);
});

test('a batch of notifications has no answer; a batch of nothing is invalid', () => {
  const note = '{"jsonrpc":"2.0","method":"echo"}';
  expect(answerNow(`[${note},${note}]`)).toBeUndefined();
  expect(answerNow('[]')).toEqual(errorOf(-32600, /empty batch/));
  expect(answerNow('[[]]')).toEqual([errorOf(-32600, /an object/)]);
});

test.each([
  [2, true],
  [3, true],
  [4, false],
])('a batch of %i where 3 calls are allowed', (length, isAnswered) => {
  let calls = 0;
  const context = contextOf({ count: () => ++calls }, { limits: { ...limits, batchLengthMax: 3 } });
  const batch = `[${Array.from({ length }, (_, i) => call(i + 5, 'count')).join(',')}]`;
  const answers = answerNow(batch, context);
  if (isAnswered) expect(answers).toHaveLength(length);
  else expect(answers).toEqual([errorOf(-32600, /batch too large: at most 3/, 5)]);
  expect(calls).toBe(isAnswered ? length : 0);
});

test.each([
  [5, true],
  [6, true],
  [7, false],
])('a message %i deep where 6 are allowed', (depth, isAnswered) => {
  const context = { ...echo, limits: { ...limits, depthMax: 6 } };
  const params = `${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}`;
  const sent = `{"jsonrpc":"2.0","id":1,"method":"nothing","params":${params}}`;
  if (isAnswered) expect(answerNow(sent, context)).toMatchObject({ result: null });
  else expect(answerNow(sent, context)).toEqual(errorOf(-32600, /deeper than 6/));
});

/** Of the answer to a call with id 1 and a result of one character. */
const SHORT_ANSWER_BYTES = '{"jsonrpc":"2.0","id":1,"result":"x"}'.length;

test.each([
  ['x'.repeat(9), true],
  ['x'.repeat(10), true],
  ['x'.repeat(11), false],
  ['é'.repeat(5), true],
  [`${'é'.repeat(5)}x`, false],
  ['漢漢漢x', true],
  ['漢漢漢xx', false],
])('a result of %s where 10 bytes are allowed', (text, isAnswered) => {
  const answerBytesMax = SHORT_ANSWER_BYTES + 9;
  const context = contextOf({ big: () => text }, { limits: { ...limits, answerBytesMax } });
  const expected = isAnswered
    ? { jsonrpc: '2.0', id: 1, result: text }
    : errorOf(-32005, 'response too large', 1);
  expect(answerNow(call(1, 'big'), context)).toEqual(expected);
});

test('the data of an error counts too', () => {
  const fail = (): never => {
    throw new RpcError(3, 'reverted', 'x'.repeat(100));
  };
  const context = contextOf({ fail }, { limits: { ...limits, answerBytesMax: 100 } });
  expect(answerNow(call(1, 'fail'), context)).toEqual(errorOf(-32005, 'response too large', 1));
});

test.each(['now', 'later'])(
  'the call that makes the answers of a batch too large gets an error, later ones are not made: %s',
  async (method) => {
    const calls: unknown[] = [];
    const now = (params: unknown): string => {
      calls.push(params);
      return 'x';
    };
    const answerBytesMax = 3 * SHORT_ANSWER_BYTES - 1;
    const context = contextOf(
      { now, later: async (params) => now(params) },
      { limits: { ...limits, answerBytesMax } },
    );
    const batch = Array.from({ length: 5 }, (_, i) => call(i, method, [i]));
    batch.splice(4, 0, `{"jsonrpc":"2.0","method":"${method}"}`);
    const tooLarge = [2, 3, 4].map((id) => errorOf(-32005, 'response too large', id));
    expect(await answer(`[${batch.join(',')}]`, context)).toEqual([
      { jsonrpc: '2.0', id: 0, result: 'x' },
      { jsonrpc: '2.0', id: 1, result: 'x' },
      ...tooLarge,
    ]);
    expect(calls).toEqual([[0], [1], [2]]);
  },
);

test('every call is recorded once, with its error', async () => {
  const records: RequestRecord[] = [];
  const context = { ...echo, onRequest: (record: RequestRecord) => void records.push(record) };
  await answer(`[${call(1, 'later', [1])},7,{"jsonrpc":"2.0","method":"echo"}]`, context);
  await answer(call(1, 'unknown'), context);
  const fields = { transport: 'http', time: expect.any(Number), durationMs: expect.any(Number) };
  expect(records).toEqual([
    { ...fields, method: 'later', params: [1], error: undefined },
    { ...fields, method: 'echo', params: undefined, error: undefined },
    {
      ...fields,
      method: 'unknown',
      params: [],
      error: { code: -32601, message: 'no method unknown' },
    },
  ]);
});

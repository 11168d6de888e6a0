import { expect, test } from 'vitest';
import { ApiError, createApi } from './api.ts';

/** Answers each call with `answer`, and remembers what was asked. */
function serve(answer: () => Response) {
  const asked: { url: string; init: RequestInit }[] = [];
  const send = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    asked.push({ url: String(url), init });
    return answer();
  };
  return { asked, api: createApi('secret', '', send as typeof fetch) };
}

test('the token goes with each call, in its header alone', async () => {
  const { api, asked } = serve(() => Response.json([]));
  await api.snapshots('l1');
  expect(asked[0]?.url).toBe('/v1/guests/l1/snapshots');
  expect(asked[0]?.init.headers).toEqual({ authorization: 'Bearer secret' });
});

test('names are escaped in paths', async () => {
  const { api, asked } = serve(() => Response.json({}));
  await api.restore('l1', 'before the/fork');
  expect(asked[0]?.url).toBe('/v1/guests/l1/snapshots/before%20the%2Ffork/restore');
});

test('an error has the words of the API', async () => {
  const body = { code: 'no-guest', message: "there is no guest 'x'", hint: 'it has l1' };
  const { api } = serve(() => Response.json(body, { status: 404 }));
  await expect(api.remove('x')).rejects.toMatchObject({ status: 404, ...body });
});

test('an error that is not the API’s own is told by its status', async () => {
  const { api } = serve(() => new Response('<html>', { status: 502 }));
  await expect(api.host()).rejects.toMatchObject({ code: 'http-502' });
});

test('a host that does not answer is an error like the others', async () => {
  const api = createApi('secret', '', () => Promise.reject(new TypeError('fetch failed')));
  const error: unknown = await api.host().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 0, code: 'unreachable' });
});

test('a call that was ended on purpose is not taken for a host that does not answer', async () => {
  const life = new AbortController();
  life.abort();
  const send = (_url: unknown, init?: RequestInit): Promise<Response> =>
    Promise.reject(init?.signal?.reason as Error);
  const call = createApi('secret', '', send as typeof fetch).host(life.signal);
  await expect(call).rejects.not.toBeInstanceOf(ApiError);
});

test('an answer without a body is undefined', async () => {
  const { api } = serve(() => new Response(undefined, { status: 204 }));
  expect(await api.remove('l1')).toBeUndefined();
});

test('events come out of the stream as values', async () => {
  const event = { kind: 'head', guest: 'a', head: '1' };
  const { api } = serve(() => new Response(`event: head\ndata: ${JSON.stringify(event)}\n\n`));
  expect(await Array.fromAsync(api.events(new AbortController().signal))).toEqual([event]);
});

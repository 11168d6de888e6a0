/** Streams of the control API, read from `fetch`: `EventSource` can't send the token. */

/** Lines of a UTF-8 body, without their ends. What follows the last end is a line, unless empty. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

/** Values of newline-delimited JSON; empty lines keep a connection alive. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  for await (const line of lines(body)) if (line !== '') yield JSON.parse(line);
}

/**
 * Data of server-sent events, parsed as JSON; comments keep a connection alive.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let data: string[] = [];
  for await (const line of lines(body)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    if (line !== '' || data.length === 0) continue;
    yield JSON.parse(data.join('\n'));
    data = [];
  }
}

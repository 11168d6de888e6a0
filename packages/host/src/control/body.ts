import type { IncomingMessage } from 'node:http';
import { HostError } from '@polyvisor/errors/host-error';

/**
 * A request's body as JSON; `{}` when there is none.
 * @throws HostError `body-too-large` for more than `bytesMax`, `not-json`, `bad-json`
 */
export async function readJson(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let length = 0;
  // The answer to one that is too long goes out on the same connection.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  if (length === 0) return {};
  checkType(request.headers['content-type']);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new HostError('bad-json', `the body is not JSON: ${(error as Error).message}`);
  }
}

/** A page of another origin can send other types without asking first. */
function checkType(type: string | undefined): void {
  if (type !== undefined && /^application\/json\s*(;|$)/i.test(type)) return;
  throw new HostError(
    'not-json',
    'the body has to be JSON',
    "send 'Content-Type: application/json'",
  );
}

function tooLarge(bytesMax: number): HostError {
  return new HostError('body-too-large', `the body has more than ${bytesMax} bytes`);
}

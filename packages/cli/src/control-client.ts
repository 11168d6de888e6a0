import { HostError } from '@polyvisor/errors/host-error';
import type { GuestView, OutcomeView, SnapshotView } from '@polyvisor/host/control/views';
import { chooseHost } from './running-hosts.ts';
import type { HostChoice } from './running-hosts.ts';

/** The control API of a host that runs in another process. */
export class ControlClient {
  readonly #url: string;
  readonly #token: string;

  /** @throws HostError `no-host`, `several-hosts`, `no-token` */
  constructor(choice: HostChoice) {
    const { url, token } = chooseHost(choice);
    this.#url = url;
    this.#token = token;
  }

  async guests(): Promise<GuestView[]> {
    return (await this.call('GET', '/v1/guests')) as GuestView[];
  }

  async guest(name: string): Promise<GuestView> {
    return (await this.call('GET', guestPath(name))) as GuestView;
  }

  async snapshots(name: string): Promise<SnapshotView[]> {
    return (await this.call('GET', guestPath(name, 'snapshots'))) as SnapshotView[];
  }

  /** Runs a method of a guest's own interface. @returns what the guest answered: a result, or its error */
  async exec(name: string, command: string, parameters: readonly unknown[]): Promise<OutcomeView> {
    const path = guestPath(name, 'exec');
    return (await this.call('POST', path, { command, parameters })) as OutcomeView;
  }

  /** @returns the answer's JSON; undefined when it has no body. @throws HostError as the host said */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Values of a stream of JSON lines, until it or the signal ends. @param asked the body of a POST */
  async *lines(path: string, signal?: AbortSignal, asked?: unknown): AsyncGenerator<unknown> {
    const { body } = await this.#fetch(asked === undefined ? 'GET' : 'POST', path, asked, signal);
    if (body === null) return;
    let rest = '';
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') yield JSON.parse(line);
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  }

  async #fetch(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.#url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw new HostError(
        'no-host',
        `the host at ${this.#url} does not answer`,
        'see whether it still runs: polyvisor ps',
        { cause: error },
      );
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** `/v1/guests/{guest}`, or a part of it. */
export function guestPath(name: string, part?: string): string {
  const path = `/v1/guests/${encodeURIComponent(name)}`;
  return part === undefined ? path : `${path}/${part}`;
}

async function refusal(response: Response): Promise<HostError> {
  try {
    const { code, message, hint } = (await response.json()) as Partial<HostError>;
    if (code !== undefined && message !== undefined) return new HostError(code, message, hint);
  } catch {
    // Not an answer of a control API.
  }
  const hint = 'is it the URL of the console?';
  return new HostError('no-host', `${response.url} answered ${response.status}`, hint);
}

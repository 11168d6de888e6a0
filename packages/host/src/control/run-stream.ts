import { HostError } from '@polyvisor/errors/host-error';
import type { Guest } from '../guest.ts';
import type { Stream } from './route.ts';
import type { RunView } from './views.ts';

export interface RunRequest {
  readonly words: readonly string[];
  readonly stdin?: string | undefined;
  readonly directory?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** A program's run, line by line. It goes on when the client is gone. */
export function streamRun({ shell }: Guest, request: RunRequest): Stream {
  const { words, stdin, directory, environment } = request;
  return (send: (value: RunView) => void, finish) => {
    const running = shell.run(words, {
      ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin, 'base64') }),
      ...(directory === undefined ? {} : { directory }),
      ...(environment === undefined ? {} : { environment }),
      onOutput(stream, bytes) {
        const data = Buffer.from(bytes).toString('base64');
        send(stream === 'stdout' ? { stdout: data } : { stderr: data });
      },
    });
    void running
      .then(
        ({ exitCode }) => send({ exitCode }),
        (error: unknown) => send({ error: failureOf(error) }),
      )
      .finally(finish);
    return () => {};
  };
}

function failureOf(error: unknown): { code: string; message: string } {
  if (error instanceof HostError) return { code: error.code, message: error.message };
  return { code: 'internal', message: String(error) };
}

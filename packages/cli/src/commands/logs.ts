import { clientOf } from '../client-of.ts';
import type { CommandCall } from '../command.ts';

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options } = call;
  const query = new URLSearchParams({
    limit: String(options['tail'] ?? 100),
    follow: String(options['follow'] === true),
  });
  const guest = call.arguments[0];
  if (typeof guest === 'string') query.set('guest', guest);
  const ending = new AbortController();
  const signal = call.signal ?? ending.signal;
  const client = clientOf(call);
  const names = new Map((await client.guests()).map(({ id, name }) => [id, name]));
  for await (const record of client.lines(`/v1/logs?${query}`, signal)) {
    terminal.print(
      options['json'] === true ? JSON.stringify(record) : describe(record as Logged, names),
    );
  }
}

interface Logged {
  readonly time: string | number;
  readonly level: string;
  readonly message: string;
  /** Its id. */
  readonly guest?: string;
}

function describe(
  { time, level, message, guest }: Logged,
  names: ReadonlyMap<string, string>,
): string {
  const at = new Date(time).toISOString();
  const who = guest === undefined ? '' : `[${names.get(guest) ?? guest}] `;
  return `${at} ${level.padEnd(5)} ${who}${message}`;
}

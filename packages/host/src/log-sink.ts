import type { LogBook, LogRecord } from './log-book.ts';

/**
 * Writes a book's records as NDJSON to a file or to standard output (`-`), through pino. Loaded only when somebody
 * asks for it: a host without a sink never pays for it.
 */
export async function openLogSink(book: LogBook, destination: string): Promise<Disposable> {
  const { pino } = await import('pino');
  const stream = pino.destination({
    dest: destination === '-' ? 1 : destination,
    sync: true,
    mkdir: true,
  });
  const logger = pino({ base: null, messageKey: 'message', level: 'debug' }, stream);
  const write = ({ time, level, message, ...fields }: LogRecord): void => {
    logger[level]({ ...fields, at: new Date(time).toISOString() }, message);
  };
  for (const record of book.read()) write(record);
  const end = book.follow({}, write);
  return {
    [Symbol.dispose](): void {
      end();
      logger.flush();
      stream.end();
    },
  };
}

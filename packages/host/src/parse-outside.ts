import type * as z from 'zod';
import { HostError } from '@polyvisor/errors/host-error';

/**
 * A value from outside, parsed once and trusted from here on.
 * @param where what the user calls it: a file, `the request's body`
 * @throws HostError `code` whose message says what is wrong where, one mistake a line
 */
export function parseOutside<T>(
  schema: z.ZodType<T>,
  value: unknown,
  where: string,
  code = 'bad-option',
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.slice(0, ISSUES_MAX).map((issue) => {
    const path = issue.path.map(String).join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = parsed.error.issues.length - ISSUES_MAX;
  if (more > 0) lines.push(`and ${more} more`);
  throw new HostError(
    code,
    `${where}: ${lines.join('; ')}`,
    'the reference says what each option may be',
  );
}

const ISSUES_MAX = 5;

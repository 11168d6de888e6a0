import { guestName, guestSpec } from '@polyvisor/host/schemas';
import * as z from 'zod';
import type { Config } from './config.ts';

/** Shape of a configuration file. Loaded only when there is one. */
export const configSchema: z.ZodType<Config> = z.strictObject({
  guests: z.record(guestName, guestSpec),
  dataDirectory: z.string().min(1).optional(),
  console: z
    .union([
      z.literal(false),
      z.strictObject({
        port: z.int().min(0).max(65_535).optional(),
        host: z.string().min(1).max(253).optional(),
      }),
    ])
    .optional(),
}) as z.ZodType<Config>;

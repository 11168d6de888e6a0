import * as z from 'zod';
import { TAG_BYTES_MAX } from '@polyvisor/board/virtio/fs';
import { hardforks } from '@polyvisor/evm/hardfork';
import { GUEST_NAME, limitRanges } from './guest-spec.ts';
import type { Range } from './guest-spec.ts';
import { evmRanges } from './kinds/evm-limits.ts';
import {
  COMMAND_LINE_MAX,
  DISKS_MAX,
  FORWARDS_MAX,
  SHARES_MAX,
} from './kinds/linux/linux-limits.ts';

/**
 * Shapes of what comes from outside: configuration files and bodies of the control API. Programs in TypeScript have
 * the types instead; ranges are checked for all of them by each kind's `resolve`. Loaded only when needed.
 */
const whole = (range: Range): z.ZodNumber => z.int().min(range.min).max(range.max);
const number = (range: Range): z.ZodNumber => z.number().min(range.min).max(range.max);
const hex = z.string().regex(/^0x([0-9a-fA-F]{2})*$/);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const path = z.string().min(1).max(4096);
const size = z.union([z.int().min(0), z.string().regex(/^\s*\d+(\.\d+)?\s*([KMGT]i?)?B?\s*$/i)]);

export const guestName: z.ZodString = z.string().regex(GUEST_NAME);

export const networkPolicy: z.ZodType = z.union([
  z.literal('none'),
  z.strictObject({ allow: z.array(z.string().max(253)).max(1000) }),
]);

const limits = {
  name: guestName.optional(),
  cpu: z
    .strictObject({
      weight: number(limitRanges.weight).optional(),
      cap: number(limitRanges.cap).optional(),
    })
    .optional()
    .describe('Share of the CPU, and the most of it as a fraction of one CPU'),
  memory: size.optional().describe('Most memory that the guest alone may hold, bytes or 256MiB'),
  storage: size.optional().describe('Most bytes of durable state, bytes or 2GiB'),
  network: networkPolicy.optional(),
};

const evmAllocation = z.strictObject({
  balance: z.union([z.string().regex(/^(0x[0-9a-fA-F]+|\d+)$/), z.int().min(0)]).optional(),
  nonce: z.int().min(0).optional(),
  code: hex.optional(),
  storage: z.record(hex, hex).optional(),
});

export const evmOptions: z.ZodType = z.strictObject({
  chainId: whole(evmRanges.chainId).optional(),
  hardfork: z.enum(hardforks).optional(),
  accounts: whole(evmRanges.accounts).optional(),
  balance: number(evmRanges.balance).optional(),
  mnemonic: z.string().min(1).max(1000).optional(),
  derivationPath: z.string().max(100).optional(),
  blockTime: number(evmRanges.blockTime).optional(),
  automine: z.boolean().optional(),
  gasLimit: whole(evmRanges.gasLimit).optional(),
  baseFee: whole(evmRanges.baseFee).optional(),
  timestamp: whole(evmRanges.timestamp).optional(),
  coinbase: address.optional(),
  historyBlocks: whole(evmRanges.historyBlocks).optional(),
  alloc: z.record(address, evmAllocation).optional(),
  port: whole(evmRanges.port).optional(),
  host: z.string().min(1).max(253).optional(),
  allowOrigins: z.array(z.string().max(300)).max(100).optional(),
});

export const linuxOptions: z.ZodType = z.strictObject({
  kernel: path.optional().describe('File of an uncompressed Linux Image for RISC-V'),
  initrd: path.optional(),
  image: z.string().min(1).max(128).optional().describe('Name of an image to boot'),
  commandLine: z.string().max(COMMAND_LINE_MAX).optional(),
  ram: size.optional().describe('16MiB to 4GiB; default 512MiB'),
  disks: z
    .array(
      z.strictObject({
        file: path.optional(),
        format: z.enum(['raw', 'qcow2']).optional(),
        size: size.optional(),
        readOnly: z.boolean().optional(),
      }),
    )
    .max(DISKS_MAX)
    .optional(),
  shares: z
    .array(
      z.strictObject({
        path,
        tag: z.string().min(1).max(TAG_BYTES_MAX).optional(),
        readOnly: z.boolean().optional(),
      }),
    )
    .max(SHARES_MAX)
    .optional()
    .describe('Folders of the host that it mounts by their tags'),
  forwards: z
    .array(z.string().max(40))
    .max(FORWARDS_MAX)
    .optional()
    .describe('Ports of the host that lead to the guest’s: 8080:80'),
});

/** A guest as a configuration file or a request describes it. */
export const guestSpec: z.ZodType = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('evm'), ...limits, options: evmOptions.default({}) }),
  z.strictObject({ kind: z.literal('linux'), ...limits, options: linuxOptions.default({}) }),
]);

import { cwd } from 'node:process';
import { createHost } from '@polyvisor/host/host';
import type { Host } from '@polyvisor/host/host';
import { registerHost } from '../running-hosts.ts';

/** A host in this process that commands find. */
export async function openListedHost(): Promise<Host> {
  const host = await createHost({ control: { port: 0 } });
  const { url, token } = host.control!;
  const { pid } = process;
  const startedAt = new Date(0).toISOString();
  registerHost({ url, token, pid, instanceId: host.instanceId, startedAt, directory: cwd() });
  return host;
}

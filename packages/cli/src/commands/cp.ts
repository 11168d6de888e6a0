import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { clientOf } from '../client-of.ts';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { guestPath } from '../control-client.ts';

/** A file of a guest: `box:/etc/hosts`. */
interface GuestFile {
  readonly guest: string;
  readonly path: string;
}

/** The longest file that goes over; a folder shared with the guest has no such limit. */
const FILE_BYTES_MAX = 12 * 1024 * 1024;

/** Copies one file into a guest, or out of it. */
export async function run(call: CommandCall): Promise<void> {
  const [from, to] = [required(call, 0), required(call, 1)];
  const [source, target] = [parseGuestFile(from), parseGuestFile(to)];
  const client = clientOf(call);
  if (source === undefined && target !== undefined) {
    const content = readLocal(from);
    const path = target.path.endsWith('/') ? target.path + basename(from) : target.path;
    const body = { path, data: content.toString('base64') };
    await client.call('POST', guestPath(target.guest, 'file'), body);
  } else if (source !== undefined && target === undefined) {
    const address = `${guestPath(source.guest, 'file')}?path=${encodeURIComponent(source.path)}`;
    const { data } = (await client.call('GET', address)) as { data: string };
    const isDirectory = statSync(to, { throwIfNoEntry: false })?.isDirectory() === true;
    const path = isDirectory ? `${to}/${basename(source.path)}` : to;
    writeFileSync(path, Buffer.from(data, 'base64'));
  } else {
    const hint = 'write <guest>:<path> for that one, as in: polyvisor cp hosts box:/etc/hosts';
    throw new HostError('bad-option', 'one of the two files has to be a guest’s', hint);
  }
}

/** A drive's letter is no guest, and neither is a path with a colon behind a slash. */
function parseGuestFile(text: string): GuestFile | undefined {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]{1,62}):(\/.*)$/.exec(text);
  return match ? { guest: match[1]!, path: match[2]! } : undefined;
}

function readLocal(path: string): Buffer {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new HostError('no-file', `there is no file ${path}`);
  if (size > FILE_BYTES_MAX) {
    throw new HostError(
      'file-too-long',
      `${path} has ${size} bytes; ${FILE_BYTES_MAX} can go over`,
    );
  }
  return readFileSync(path);
}

import { bytesToLatin1 } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';

/**
 * `!<arch>\n`, then for each member a header of 60 bytes of text
 * `name 16 | time 12 | uid 6 | gid 6 | mode 8 | size 10 | "\x60\n"` and the content, padded to 2 bytes.
 * @see deb(5)
 */
const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
/** A package has three. */
const MEMBERS_MAX = 1000;

/** The members by name, without a slash at the end. @throws HostError `image-damaged` */
export function readAr(archive: Uint8Array): Map<string, Uint8Array> {
  if (bytesToLatin1(archive.subarray(0, MAGIC.length)) !== MAGIC) throw damaged('no archive');
  const members = new Map<string, Uint8Array>();
  let at = MAGIC.length;
  while (at + HEADER_BYTES <= archive.length) {
    const header = bytesToLatin1(archive.subarray(at, at + HEADER_BYTES));
    const size = header.slice(48, 58).trim();
    const start = at + HEADER_BYTES;
    if (!header.endsWith('`\n') || !/^\d{1,10}$/.test(size)) throw damaged('a header that is none');
    if (start + Number(size) > archive.length) throw damaged('a member that does not end');
    if (members.size >= MEMBERS_MAX) throw damaged(`more than ${MEMBERS_MAX} members`);
    const name = header.slice(0, 16).trimEnd().replace(/\/$/, '');
    members.set(name, archive.subarray(start, start + Number(size)));
    at = start + Number(size) + (Number(size) & 1);
  }
  return members;
}

function damaged(what: string): HostError {
  return new HostError('image-damaged', `ar: ${what}`);
}

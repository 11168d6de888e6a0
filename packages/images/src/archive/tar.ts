import { concatBytes } from '@polyvisor/bytes/bytes';
import { bytesToLatin1, latin1ToBytes } from '@polyvisor/bytes/latin1';
import { HostError } from '@polyvisor/errors/host-error';
import type { Attributes, DirectoryNode, FileNode } from '../file-tree.ts';
import { makeDirectory, walk } from '../file-tree.ts';

/**
 * ```
 *   0 name 100    100 mode 8   108 uid 8   116 gid 8   124 size 12   136 time 12   148 checksum 8
 * 156 type       157 link 100  257 'ustar' 0 '00'      265 owner 32  297 group 32  329 major 8  337 minor 8
 * 345 prefix 155
 * ```
 * in blocks of 512 bytes; numbers are octal, or binary when the first bit is set; two blocks of zeros at the end.
 * What doesn't fit is in records before: `x` (pax, `length key=value\n`), or GNU's `L` and `K`.
 * @see POSIX.1-2017 pax, "ustar Interchange Format"
 */
const BLOCK_BYTES = 512;
const TYPES = {
  file: '0',
  hardLink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

/** An entry of an archive: a node, or another name for what an earlier entry has. */
export type TarEntry = {
  /** As it is written, maybe with `./` in front or a slash at the end. */
  readonly path: string;
} & ({ readonly node: FileNode } | { readonly hardLinkTo: string });

/**
 * All entries, in order. Contents are parts of `archive`, not copies.
 * @throws HostError `image-damaged`, `image-not-supported`
 */
export function* readTar(archive: Uint8Array, entriesMax: number): Generator<TarEntry> {
  let at = 0;
  let global = new Map<string, Uint8Array>();
  let own = new Map<string, Uint8Array>();
  for (let count = 0; at + BLOCK_BYTES <= archive.length; count++) {
    const header = archive.subarray(at, at + BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    if (count >= entriesMax) throw damaged(`more than ${entriesMax} entries`);
    checkSum(header);
    const type = String.fromCharCode(header[156]!);
    const isRecord = 'xgLK'.includes(type);
    const fields = new Map(isRecord ? [] : [...global, ...own]);
    const size = numberOf(fields.get('size')) ?? readNumber(header, 124, 12);
    const start = at + BLOCK_BYTES;
    if (start + size > archive.length) throw damaged('an entry that does not end');
    const content = archive.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
    if (type === 'x') own = readRecords(content);
    else if (type === 'g') global = new Map([...global, ...readRecords(content)]);
    else if (type === 'L') own.set('path', withoutZeros(content));
    else if (type === 'K') own.set('linkpath', withoutZeros(content));
    else {
      yield readEntry(header, type, content, fields);
      own = new Map();
    }
  }
}

/** Whether the bytes begin as an archive does. */
export function isTar(bytes: Uint8Array): boolean {
  if (bytes.length < BLOCK_BYTES) return false;
  const digits = text(bytes, 148, 8).trim();
  return /^[0-7]{1,7}$/.test(digits) && Number.parseInt(digits, 8) === sumOf(bytes);
}

function readEntry(
  header: Uint8Array,
  type: string,
  content: Uint8Array,
  fields: ReadonlyMap<string, Uint8Array>,
): TarEntry {
  const textIn = (key: string): string | undefined => {
    const value = fields.get(key);
    return value && bytesToLatin1(value);
  };
  const hasPrefix = text(header, 257, 5) === 'ustar' && header[345] !== 0 && header[262] === 0;
  const name = text(header, 0, 100);
  const path = textIn('path') ?? (hasPrefix ? `${text(header, 345, 155)}/${name}` : name);
  const target = textIn('linkpath') ?? text(header, 157, 100);
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of fields) {
    if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value);
  }
  const attributes: Attributes = {
    mode: readNumber(header, 100, 8) & 0o7777,
    uid: numberOf(fields.get('uid')) ?? readNumber(header, 108, 8),
    gid: numberOf(fields.get('gid')) ?? readNumber(header, 116, 8),
    modifiedSeconds: Math.floor(numberOf(fields.get('mtime')) ?? readNumber(header, 136, 12)),
    ...(xattrs.size > 0 ? { xattrs } : {}),
  };
  switch (type) {
    case '\0':
    case '7':
    case TYPES.file:
      // Before there was a type for them, directories were files with a slash at the end.
      if (path.endsWith('/')) return { path, node: makeDirectory(attributes) };
      return { path, node: { kind: 'file', attributes, content } };
    case TYPES.hardLink:
      return { path, hardLinkTo: target };
    case TYPES.symlink:
      return { path, node: { kind: 'symlink', attributes, target } };
    case TYPES.character:
    case TYPES.block: {
      const kind = type === TYPES.block ? 'block' : 'character';
      const [major, minor] = [readNumber(header, 329, 8), readNumber(header, 337, 8)];
      return { path, node: { kind, attributes, major, minor } };
    }
    case TYPES.directory:
      return { path, node: makeDirectory(attributes) };
    case TYPES.fifo:
      return { path, node: { kind: 'fifo', attributes } };
    default:
      throw new HostError('image-not-supported', `tar: an entry of type '${type}'`);
  }
}

const XATTR = 'SCHILY.xattr.';

function readRecords(content: Uint8Array): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  let at = 0;
  while (at < content.length && content[at] !== 0) {
    const space = content.indexOf(0x20, at);
    const length = Number(text(content, at, Math.max(0, space - at)));
    const end = at + length;
    const equals = content.indexOf(0x3d, space);
    const isWhole = Number.isInteger(length) && length > 0 && end <= content.length;
    if (!isWhole || space < 0 || equals < 0 || equals >= end || content[end - 1] !== 0x0a) {
      throw damaged('a pax record that is none');
    }
    records.set(
      text(content, space + 1, equals - space - 1),
      content.subarray(equals + 1, end - 1),
    );
    at = end;
  }
  return records;
}

function checkSum(header: Uint8Array): void {
  if (sumOf(header) !== readNumber(header, 148, 8)) throw damaged('a header with a wrong checksum');
}

function sumOf(header: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) sum += at >= 148 && at < 156 ? 0x20 : header[at]!;
  return sum;
}

function readNumber(header: Uint8Array, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if ((field[0]! & 0x80) !== 0) {
    let value = field[0]! & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    // A negative time, before 1970.
    if ((field[0]! & 0x40) !== 0) return 0;
    if (!Number.isSafeInteger(value)) throw damaged('a number that is too large');
    return value;
  }
  const digits = text(field, 0, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw damaged(`'${digits}' is no number`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** A decimal number of a pax record. */
function numberOf(value: Uint8Array | undefined): number | undefined {
  if (!value) return undefined;
  const digits = bytesToLatin1(value);
  if (!/^-?\d{1,15}(\.\d+)?$/.test(digits)) throw damaged(`'${digits.slice(0, 40)}' is no number`);
  return Math.max(0, Number(digits));
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return bytesToLatin1(withoutZeros(bytes.subarray(at, at + length)));
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function damaged(what: string): HostError {
  return new HostError('image-damaged', `tar: ${what}`);
}

/** A tree as an archive. The same tree gives the same bytes. */
export function writeTar(root: DirectoryNode): Uint8Array {
  const parts: Uint8Array[] = [];
  const written = new Map<FileNode, string>();
  for (const [path, node] of walk(root)) {
    const earlier = written.get(node);
    if (earlier === undefined && node.kind !== 'directory') written.set(node, path);
    parts.push(...writeEntry(path, node, earlier));
  }
  parts.push(new Uint8Array(2 * BLOCK_BYTES));
  return Buffer.concat(parts);
}

function writeEntry(path: string, node: FileNode, earlier: string | undefined): Uint8Array[] {
  // An archive has no sockets: what listens makes its own.
  if (node.kind === 'socket') return [];
  const type = earlier === undefined ? TYPES[node.kind] : TYPES.hardLink;
  const target = earlier ?? (node.kind === 'symlink' ? node.target : '');
  const content = node.kind === 'file' && earlier === undefined ? node.content : undefined;
  const size = content?.length ?? 0;
  const { mode, uid, gid, modifiedSeconds, xattrs } = node.attributes;
  const name = node.kind === 'directory' ? `${path}/` : path;

  const records = new Map<string, Uint8Array>();
  const put = (key: string, value: string): unknown => records.set(key, latin1ToBytes(value));
  if (!isPlain(name)) put('path', name);
  if (!isPlain(target)) put('linkpath', target);
  if (size >= 8 ** 11) put('size', String(size));
  if (uid >= 8 ** 7) put('uid', String(uid));
  if (gid >= 8 ** 7) put('gid', String(gid));
  for (const [key, value] of xattrs ?? []) records.set(XATTR + key, value);

  const header = makeHeader(name, type, size, target);
  const view = (at: number, length: number, value: number): void => {
    header.set(octal(value % 8 ** (length - 1), length), at);
  };
  view(100, 8, mode);
  view(108, 8, uid);
  view(116, 8, gid);
  view(136, 12, modifiedSeconds);
  if (node.kind === 'character' || node.kind === 'block') {
    view(329, 8, node.major);
    view(337, 8, node.minor);
  }
  sign(header);
  const parts = [header, ...padded(content)];
  if (records.size === 0) return parts;
  const pax = concatBytes(...Array.from(records, ([key, value]) => makeRecord(key, value)));
  return [sign(makeHeader('pax', 'x', pax.length, '')), ...padded(pax), ...parts];
}

function isPlain(name: string): boolean {
  return name.length <= 100 && /^[\x20-\x7e]*$/.test(name);
}

function makeHeader(name: string, type: string, size: number, target: string): Uint8Array {
  const header = new Uint8Array(BLOCK_BYTES);
  header.set(latin1ToBytes(name).subarray(0, 100));
  header.set(octal(0o644, 8), 100);
  header.set(octal(0, 8), 108);
  header.set(octal(0, 8), 116);
  header.set(octal(size % 8 ** 11, 12), 124);
  header.set(octal(0, 12), 136);
  header[156] = type.charCodeAt(0);
  header.set(latin1ToBytes(target).subarray(0, 100), 157);
  header.set(latin1ToBytes('ustar\x0000'), 257);
  return header;
}

function sign(header: Uint8Array): Uint8Array {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(octal(sum, 7), 148);
  return header;
}

/** Digits and a zero, `length` bytes. */
function octal(value: number, length: number): Uint8Array {
  return latin1ToBytes(`${value.toString(8).padStart(length - 1, '0')}\0`);
}

function padded(content: Uint8Array | undefined): Uint8Array[] {
  if (!content) return [];
  return [content, new Uint8Array((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)];
}

/** The length in front counts its own digits. */
function makeRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = concatBytes(latin1ToBytes(` ${key}=`), value, latin1ToBytes('\n'));
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length)
    length = String(length).length + rest.length;
  return concatBytes(latin1ToBytes(String(length)), rest);
}

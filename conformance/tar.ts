export interface TarFile {
  readonly path: string;
  readonly bytes: Buffer;
}

const BLOCK = 512;

/**
 * Regular files of a tar stream, in order; links, folders and devices are passed over.
 * @see POSIX.1-2001, pax, "ustar Interchange Format"; long names as GNU tar and pax write them
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const source = new BlockSource(stream);
  let longPath: string | undefined;
  for (;;) {
    const header = await source.take(BLOCK);
    if (header === undefined || header[0] === 0) return;
    const size = Number.parseInt(text(header, 124, 12), 8);
    if (!Number.isSafeInteger(size)) throw new Error('not a tar archive');
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    const bytes = (await source.take(padded))?.subarray(0, size);
    if (bytes === undefined) throw new Error('the tar archive ends in the middle of a file');
    const type = String.fromCharCode(header[156]!);
    if (type === 'L') longPath = text(bytes, 0, size);
    else if (type === 'x') longPath = paxPath(bytes) ?? longPath;
    else {
      if (type === '0' || type === '\0') yield { path: longPath ?? pathOf(header), bytes };
      longPath = undefined;
    }
  }
}

class BlockSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next `size` bytes; undefined when the stream ends before them. */
  async take(size: number): Promise<Buffer | undefined> {
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (length < size) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      length += value.length;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    this.#rest = all.subarray(size);
    return all.subarray(0, size);
  }
}

function text(bytes: Buffer, offset: number, size: number): string {
  const field = bytes.toString('utf8', offset, offset + size);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

function pathOf(header: Buffer): string {
  const prefix = text(header, 345, 155);
  const name = text(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Records are "<length> <key>=<value>\n". */
function paxPath(bytes: Buffer): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(bytes.toString('utf8'))?.[1];
}

import { HostError } from '@polyvisor/errors/host-error';

/** One paragraph of `Field: value` lines; field names in lower case, lines that go on joined with `\n`. */
export type Paragraph = ReadonlyMap<string, string>;

/**
 * Paragraphs of a control file: separated by empty lines, a line that begins with a space goes on, one with `#` is
 * a comment.
 * @throws HostError `image-damaged`
 * @see Debian Policy 5.1
 */
export function* parseControl(text: string): Generator<Paragraph> {
  let fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      name = undefined;
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (name === undefined) throw damaged(line);
      fields.set(name, `${fields.get(name)}\n${line.trim()}`);
    } else if (!line.startsWith('#')) {
      const colon = line.indexOf(':');
      if (colon < 1) throw damaged(line);
      name = line.slice(0, colon).toLowerCase();
      fields.set(name, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield fields;
}

function damaged(line: string): HostError {
  return new HostError('image-damaged', `'${line.slice(0, 100)}' is no line of a control file`);
}

/** A method and what it is called with, as a person types them. */
export interface TypedCall {
  readonly method: string;
  readonly parameters: readonly unknown[];
}

/**
 * Reads `eth_getBalance 0xf39f… latest`, `eth_call {"to": "0x…", "data": "0x"} latest`, or a whole list
 * `eth_getBalance ["0xf39f…", "latest"]`.
 * @returns undefined for an empty line
 */
export function parseCallLine(line: string): TypedCall | undefined {
  const [method, ...words] = splitWords(line);
  if (method === undefined) return undefined;
  return { method, parameters: parseParameters(words) };
}

/** Words that are JSON mean their value, all others themselves; one word that is a list is the list of parameters. */
export function parseParameters(words: readonly string[]): readonly unknown[] {
  const values = words.map((word) => {
    try {
      return JSON.parse(word) as unknown;
    } catch {
      return word;
    }
  });
  const [first] = values;
  return values.length === 1 && Array.isArray(first) ? first : values;
}

/** Splits at spaces outside of quotes, brackets and braces. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let depth = 0;
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (isQuoted && c === '\\') {
      word += c + line.charAt(++i);
      continue;
    }
    if (c === '"') isQuoted = !isQuoted;
    else if (!isQuoted && '[{'.includes(c)) depth++;
    else if (!isQuoted && ']}'.includes(c)) depth--;
    if (/\s/.test(c) && !isQuoted && depth <= 0) {
      if (word !== '') words.push(word);
      word = '';
    } else word += c;
  }
  if (word !== '') words.push(word);
  return words;
}

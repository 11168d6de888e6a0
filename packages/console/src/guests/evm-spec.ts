/** A row of the form for an EVM guest; `path` is where its value goes in the spec. */
export interface SpecField {
  readonly path: string;
  readonly label: string;
  readonly hint: string;
  readonly input: 'text' | 'number' | 'hardfork';
  /** What stands in it at first. */
  readonly initial?: string;
}

export const evmFields: readonly SpecField[] = [
  { path: 'name', label: 'Name', hint: 'default evm, or the next free name', input: 'text' },
  { path: 'options.hardfork', label: 'Hardfork', hint: 'rules of execution', input: 'hardfork' },
  { path: 'options.chainId', label: 'Chain id', hint: 'default 31337', input: 'number' },
  {
    path: 'options.port',
    label: 'Port',
    hint: '0: any free one; empty: none',
    input: 'number',
    initial: '0',
  },
  { path: 'options.accounts', label: 'Accounts', hint: 'default 10', input: 'number' },
  {
    path: 'options.balance',
    label: 'Balance of each',
    hint: 'ether; default 10000',
    input: 'number',
  },
  {
    path: 'options.blockTime',
    label: 'Block time',
    hint: 'seconds; default 0: a block for each transaction',
    input: 'number',
  },
  {
    path: 'options.gasLimit',
    label: 'Gas limit',
    hint: 'of a block; default 30 million',
    input: 'number',
  },
  { path: 'memory', label: 'Memory', hint: 'such as 256MiB; default 1 GiB', input: 'text' },
  { path: 'cpu.cap', label: 'CPU cap', hint: 'fraction of one CPU; default none', input: 'number' },
];

/** What the API is asked for. What is no number goes as it is: the API says what is wrong. */
export function specOf(form: Pick<FormData, 'get'>): Record<string, unknown> {
  const spec: Record<string, unknown> = { kind: 'evm' };
  for (const { path, input } of evmFields) {
    const text = form.get(path);
    if (typeof text !== 'string' || text.trim() === '') continue;
    const number = input === 'number' ? Number(text) : Number.NaN;
    put(spec, path.split('.'), Number.isNaN(number) ? text.trim() : number);
  }
  return spec;
}

/** What the API said, by field. Its messages are `where: path: what; path: what`. */
export function fieldErrors(message: string): ReadonlyMap<string, string> {
  const errors = new Map<string, string>();
  for (const part of message.split('; ')) {
    const words = part.split(': ');
    for (const { path } of evmFields) {
      const at = words.findIndex((word) => word === path || word.endsWith(`.${lastPart(path)}`));
      if (at >= 0) errors.set(path, words.slice(at + 1).join(': '));
    }
  }
  return errors;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) into[first] = value;
  else put((into[first] ??= {}) as Record<string, unknown>, rest, value);
}

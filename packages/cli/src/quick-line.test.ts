import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Command } from 'commander';
import { commands } from './commands.ts';
import { addFlags } from './program.ts';
import { quickLine } from './quick-line.ts';

const SEED = 20_260_106;

const rows = commands.flatMap((row) => ('commands' in row ? [] : [row]));

/** Options as commander reads them; undefined where it has something to say. */
function byCommander(line: readonly string[]): unknown {
  const row = rows.find(({ name }) => name === line[0])!;
  const command = addFlags(new Command(row.name), row.flags)
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} });
  try {
    return command.parse(line.slice(1), { from: 'user' }).opts();
  } catch {
    return undefined;
  }
}

const plain = rows.filter((row) => row.arguments === undefined);
const value = fc.constantFrom('0', '1', '8545', 'text', '-1', '', 'osaka', '1.5', 'a,b', 'x y');

/** Lines with flags that the command has, with and without values, now and then with something else. */
const line = fc.constantFrom(...plain).chain((row) => {
  const words = row.flags.flatMap(({ flags, aliases = [] }) =>
    [flags, ...aliases].flatMap((written) => written.split(/[ ,]+/)),
  );
  const flag = fc.constantFrom(...words.filter((word) => word.startsWith('-')), '--nothing', '-');
  const part = fc.oneof(
    { weight: 3, arbitrary: flag.map((word) => [word]) },
    { weight: 5, arbitrary: fc.tuple(flag, value).map(([word, text]) => [word, text]) },
    { weight: 2, arbitrary: fc.tuple(flag, value).map(([word, text]) => [`${word}=${text}`]) },
    { weight: 1, arbitrary: value.map((text) => [text]) },
  );
  return fc.array(part, { maxLength: 4 }).map((parts) => [row.name, ...parts.flat()]);
});

describe('lines that are read without commander', () => {
  test(`have the options that commander reads (seed ${SEED})`, () => {
    let quick = 0;
    fc.assert(
      fc.property(line, (words) => {
        const read = quickLine(words);
        if (read === undefined) return;
        quick++;
        expect(read.options).toEqual(byCommander(words));
      }),
      { seed: SEED, numRuns: 3000 },
    );
    expect(quick).toBeGreaterThan(500);
  });

  test('a start is one of them', () => {
    expect(quickLine(['up'])?.options).toEqual({ console: true });
    const words = ['evm', '-p', '0', '--chain-id=1', '--silent', '--no-mining', '--no-console'];
    expect(quickLine(words)?.options).toEqual({
      port: 0,
      chainId: 1,
      silent: true,
      mining: false,
      console: false,
    });
  });

  test('help, mistakes and commands with arguments are not', () => {
    for (const words of [
      ['evm', '--help'],
      ['evm', '--port'],
      ['evm', '--port', 'x'],
      ['evm', '--port', '--json'],
      ['evm', 'surplus'],
      ['fork', 'evm'],
      ['nothing'],
      [],
    ]) {
      expect(quickLine(words)).toBeUndefined();
    }
  });
});

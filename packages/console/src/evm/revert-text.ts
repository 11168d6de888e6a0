/**
 * What a contract says when it reverts, in words: `Error(string)` and `Panic(uint256)`; other
 * errors by their selector. undefined: nothing, or less than a selector.
 * @see https://docs.soliditylang.org/en/latest/control-structures.html#panic-via-assert-and-error-via-require
 */
export function revertText(output: string): string | undefined {
  if (output.length < 10) return undefined;
  const selector = output.slice(0, 10);
  const data = output.slice(10);
  if (selector === ERROR) return errorString(data) ?? selector;
  if (selector !== PANIC || data.length < 64) return `custom error ${selector}`;
  const code = Number(`0x${data.slice(0, 64)}`);
  return `panic 0x${code.toString(16).padStart(2, '0')}: ${PANICS[code] ?? 'unknown'}`;
}

/** ABI: offset of the string, its length in bytes, its bytes in UTF-8. */
function errorString(data: string): string | undefined {
  const length = Number(`0x${data.slice(64, 128) || '0'}`);
  const hex = data.slice(128, 128 + 2 * length);
  if (hex.length !== 2 * length) return undefined;
  return new TextDecoder().decode(Uint8Array.fromHex(hex));
}

const ERROR = '0x08c379a0';
const PANIC = '0x4e487b71';

const PANICS: Readonly<Record<number, string>> = {
  0x00: 'generic',
  0x01: 'assertion failed',
  0x11: 'arithmetic overflow or underflow',
  0x12: 'division by zero',
  0x21: 'bad enum value',
  0x22: 'badly encoded storage byte array',
  0x31: 'pop of an empty array',
  0x32: 'index out of bounds',
  0x41: 'too much memory',
  0x51: 'call of an uninitialized function',
};

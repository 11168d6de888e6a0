/** A storage slot as JSON-RPC wants it, of a number below 2^256; undefined: it is none. */
export function readSlot(text: string): string | undefined {
  const word = text.trim();
  if (!/^(\d{1,78}|0x[0-9a-f]{1,64})$/i.test(word)) return undefined;
  const slot = BigInt(word);
  return slot < 2n ** 256n ? `0x${slot.toString(16).padStart(64, '0')}` : undefined;
}

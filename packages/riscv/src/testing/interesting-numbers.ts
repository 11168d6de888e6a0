/** Numbers near limits, as integers and as patterns of both float formats; sometimes any. */
export function interestingNumbers(next: () => number): bigint {
  const kind = next() % 8;
  const any = (BigInt(next()) << 32n) | BigInt(next());
  if (kind === 0) return any;
  if (kind === 1) return BigInt.asUintN(64, BigInt(next() % 16) - 8n);
  if (kind === 2) return BigInt.asUintN(64, (1n << BigInt(next() % 64)) + BigInt(next() % 3) - 1n);
  if (kind < 6) return double(next);
  return 0xffff_ffff_0000_0000n | single(next);
}

function double(next: () => number): bigint {
  const exponents = [0, 1, 2, 970, 1010, 1022, 1023, 1024, 1053, 1076, 1087, 2045, 2046, 2047];
  const exponent = next() & 1 ? exponents[next() % exponents.length]! : 1023 - 60 + (next() % 120);
  return (BigInt(next() & 1) << 63n) | (BigInt(exponent) << 52n) | fraction(next, 52);
}

function single(next: () => number): bigint {
  const exponents = [0, 1, 2, 103, 126, 127, 128, 150, 158, 159, 253, 254, 255];
  const exponent = next() & 1 ? exponents[next() % exponents.length]! : 127 - 30 + (next() % 60);
  return (BigInt(next() & 1) << 31n) | (BigInt(exponent) << 23n) | fraction(next, 23);
}

/** All bits, few at either end, none, or all ones. */
function fraction(next: () => number, bits: number): bigint {
  const any = (BigInt(next()) << 32n) | BigInt(next());
  const all = (1n << BigInt(bits)) - 1n;
  switch (next() % 5) {
    case 0:
      return any & all;
    case 1:
      return any & 3n;
    case 2:
      return ((any & 7n) << BigInt(bits - 3)) & all;
    case 3:
      return 0n;
    default:
      return all ^ (any & 1n);
  }
}

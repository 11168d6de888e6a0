/**
 * base^exponent mod modulus over numbers of any size: square and multiply with windows of four bits.
 * A modulus of 0 or 1 gives 0.
 */
export function modexp(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (modulus <= 1n) return 0n;
  if (exponent === 0n) return 1n;
  const powers: bigint[] = [1n, base % modulus];
  if (powers[1] === 0n) return 0n;
  for (let i = 2; i < 16; i++) powers.push((powers[i - 1]! * powers[1]!) % modulus);
  let result = 1n;
  for (const digit of exponent.toString(16)) {
    if (result !== 1n) {
      for (let i = 0; i < 4; i++) result = (result * result) % modulus;
    }
    const window = Number.parseInt(digit, 16);
    if (window > 0) result = (result * powers[window]!) % modulus;
  }
  return result;
}

/** Numbers and names as a person reads them. */

/** `1.5 MiB`; whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** `1.5 M`, for gas and other large counts. */
export function formatScaled(count: number): string {
  return scaled(count, 1000, ['', 'k', 'M', 'G', 'T']).trimEnd();
}

/** `12 345 678` with thin spaces: readable in any language. */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** A share of one CPU: `3.2 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** `0.42 ms`, `12 ms`, `3.4 s`. */
export function formatDuration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 10 ? `${Number(ms.toFixed(2))} ms` : `${Math.round(ms)} ms`;
}

/** `just now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`; times ahead: `in 12 s`. */
export function formatAgo(unixMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - unixMs) / 1000);
  if (Math.abs(seconds) < 2) return 'just now';
  const length = formatSeconds(Math.abs(seconds));
  return seconds < 0 ? `in ${length}` : `${length} ago`;
}

/** The largest unit that fits: `90 s`, `3 min`, `5 h`, `2 d`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `14:03:27.512` in the reader's time zone. */
export function formatClock(unixMs: number): string {
  const date = new Date(unixMs);
  const part = (value: number, digits: number): string => value.toString().padStart(digits, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${time.map((value) => part(value, 2)).join(':')}.${part(date.getMilliseconds(), 3)}`;
}

/** Wei in the unit that keeps it short, no digit dropped: `1.5 ETH`, `3 gwei`, `7 wei`. */
export function formatWei(wei: bigint): string {
  if (wei === 0n) return '0 ETH';
  if (wei >= 10n ** 14n) return `${decimal(wei, 18)} ETH`;
  return wei >= 10n ** 6n ? `${decimal(wei, 9)} gwei` : `${wei} wei`;
}

/** `0x1234…cdef`; what is short already stays. */
export function shortenHex(hex: string, digits = 4): string {
  return hex.length <= 2 + 2 * digits + 1
    ? hex
    : `${hex.slice(0, 2 + digits)}…${hex.slice(-digits)}`;
}

/** `value / 10^places` without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const whole = formatCount(BigInt(digits.slice(0, -places)));
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${units[unit] ?? ''}`;
}

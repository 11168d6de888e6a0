/** An IPv4 address as a number from 0 to 2^32 - 1, as `10.0.2.1` is 0x0a000201. */
export type Ipv4 = number;
/** A MAC address as a number from 0 to 2^48 - 1. */
export type Mac = number;

export const BROADCAST_MAC: Mac = 0xffff_ffff_ffff;
export const BROADCAST_IPV4: Ipv4 = 0xffff_ffff;

/** @returns undefined when the text isn't four numbers from 0 to 255 without leading zeros */
export function parseIpv4(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let address = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

export function formatIpv4(address: Ipv4): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
}

/** @returns undefined when the text isn't six pairs of hexadecimal digits with colons */
export function parseMac(text: string): Mac | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Number.parseInt(text.replaceAll(':', ''), 16);
}

export function formatMac(mac: Mac): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replaceAll(/..(?!$)/g, '$&:');
}

export function readMac(view: DataView, at: number): Mac {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}

export function writeMac(view: DataView, at: number, mac: Mac): void {
  view.setUint16(at, Math.floor(mac / 2 ** 32));
  view.setUint32(at + 2, mac % 2 ** 32);
}

/** Whether frames to it are for more than one: the lowest bit of the first byte. Broadcast is one of them. */
export function isGroupMac(mac: Mac): boolean {
  return (Math.floor(mac / 2 ** 40) & 1) === 1;
}

export interface Subnet {
  readonly network: Ipv4;
  /** Leading bits that are the network's, 0 to 32. */
  readonly prefixBits: number;
}

/** `10.0.0.0/8`, or one address. @returns undefined when it's neither, or has bits after the prefix */
export function parseSubnet(text: string): Subnet | undefined {
  const [address, bits, ...rest] = text.split('/');
  const network = parseIpv4(address ?? '');
  const prefixBits = bits === undefined ? 32 : /^\d{1,2}$/.test(bits) ? Number(bits) : NaN;
  if (network === undefined || rest.length > 0 || !(prefixBits <= 32)) return undefined;
  return (network & maskOf(prefixBits)) >>> 0 === network ? { network, prefixBits } : undefined;
}

export function maskOf(prefixBits: number): Ipv4 {
  return prefixBits === 0 ? 0 : (-1 << (32 - prefixBits)) >>> 0;
}

export function isInSubnet(address: Ipv4, { network, prefixBits }: Subnet): boolean {
  return (address & maskOf(prefixBits)) >>> 0 === network;
}

/**
 * Whether an address is none of the public internet: this host, private networks, cloud metadata, multicast…
 * @see IANA IPv4 Special-Purpose Address Registry
 */
export function isSpecialIpv4(address: Ipv4): boolean {
  return SPECIAL.some((subnet) => isInSubnet(address, subnet));
}

const SPECIAL: readonly Subnet[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((text) => parseSubnet(text)!);

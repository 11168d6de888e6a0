import type { JSX } from 'preact';
import { formatCount, shortenHex } from '../format.ts';
import { hrefOf } from '../router.ts';

/** Links to the things of a chain. `isWhole` shows all digits. */
export function AddressLink(props: {
  guest: string;
  address: string;
  isWhole?: boolean;
}): JSX.Element {
  const { guest, address, isWhole } = props;
  return (
    <a class="mono" title={address} href={hrefOf({ page: 'account', guest, address })}>
      {isWhole === true ? address : shortenHex(address)}
    </a>
  );
}

export function TransactionLink(props: {
  guest: string;
  hash: string;
  isWhole?: boolean;
}): JSX.Element {
  const { guest, hash, isWhole } = props;
  return (
    <a class="mono" title={hash} href={hrefOf({ page: 'transaction', guest, hash })}>
      {isWhole === true ? hash : shortenHex(hash, 6)}
    </a>
  );
}

/** @param number as the chain writes it: hex */
export function BlockLink({ guest, number }: { guest: string; number: string }): JSX.Element {
  const block = BigInt(number).toString();
  return (
    <a class="number" href={hrefOf({ page: 'block', guest, block })}>
      {formatCount(BigInt(block))}
    </a>
  );
}

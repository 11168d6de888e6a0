import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { formatCount, formatWei } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Facts } from '../parts/facts.tsx';
import { useQuery } from '../use-query.ts';
import { ethClient } from './eth-client.ts';
import { HexData } from './hex-data.tsx';
import { StorageList, StorageReader } from './storage.tsx';
import { useChainVersion } from './use-chain-version.ts';

/** An account as it is now. */
export function AccountPage({
  guest,
  address,
}: {
  guest: GuestView;
  address: string;
}): JSX.Element {
  const { api } = useConsole();
  const version = useChainVersion(guest);
  const query = useQuery(
    `${guest.id} ${address}`,
    (signal) => ethClient(api, guest.name, signal).account(address),
    version,
  );
  const account = query.value;
  const codeBytes = account === undefined ? 0 : (account.code.length - 2) / 2;
  return (
    <>
      <div class="section-head">
        <h2>{account === undefined || codeBytes === 0 ? 'Account' : 'Contract'}</h2>
      </div>
      <ErrorNote error={query.error} />
      {account !== undefined && (
        <section class="panel">
          <Facts
            rows={[
              ['address', <CopyButton text={address} label="address" />],
              ['balance', formatWei(account.balance)],
              ['nonce', formatCount(account.nonce)],
              ['code', codeBytes === 0 ? 'none' : `${formatCount(codeBytes)} bytes`],
            ]}
          />
        </section>
      )}
      {codeBytes > 0 && (
        <>
          <h2>Storage</h2>
          <StorageReader guest={guest.name} address={address} version={version} />
          <StorageList guest={guest.name} address={address} version={version} />
          <h2>Code</h2>
          <HexData data={account?.code ?? '0x'} label="Code" />
        </>
      )}
    </>
  );
}

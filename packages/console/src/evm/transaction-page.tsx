import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { formatCount, formatWei } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Facts } from '../parts/facts.tsx';
import type { FactRow } from '../parts/facts.tsx';
import { hrefOf } from '../router.ts';
import { useQuery } from '../use-query.ts';
import { Outcome, Recipient } from './block-page.tsx';
import { callTree, functionName } from './call-tree.ts';
import { CallTree } from './call-tree-view.tsx';
import { ethClient } from './eth-client.ts';
import { HexData } from './hex-data.tsx';
import { AddressLink, BlockLink } from './links.tsx';
import { Logs } from './logs.tsx';
import type { RpcReceipt, RpcTransaction } from './rpc-types.ts';
import { useChainVersion } from './use-chain-version.ts';

/** A transaction: what it is, how it went, what it called, what it logged. */
export function TransactionPage({ guest, hash }: { guest: GuestView; hash: string }): JSX.Element {
  const { api } = useConsole();
  const version = useChainVersion(guest);
  const query = useQuery(
    `${guest.id} ${hash}`,
    async (signal) => {
      const chain = ethClient(api, guest.name, signal);
      const [transaction, receipt] = await Promise.all([
        chain.transaction(hash),
        chain.receipt(hash),
      ]);
      return { transaction, receipt };
    },
    version,
  );
  const { transaction, receipt } = query.value ?? {};
  if (query.error !== undefined) return <ErrorNote error={query.error} />;
  if (query.value === undefined) return <p class="faint">Reading the transaction…</p>;
  if (transaction === undefined) {
    return (
      <EmptyState title="The chain has no such transaction">
        <p class="mono break">{hash}</p>
        <p>
          It may have been taken back by a rewind.{' '}
          <a href={hrefOf({ page: 'blocks', guest: guest.name })}>The blocks that there are</a>
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      <div class="section-head">
        <h2>
          Transaction <Outcome status={receipt?.status} />
          <span class={receipt?.status === '0x0' ? 'bad' : 'faint'}>{outcomeText(receipt)}</span>
        </h2>
      </div>
      <section class="panel">
        <Facts rows={transactionFacts(guest.name, transaction, receipt)} />
      </section>
      {receipt !== undefined && (
        <Trace guest={guest} hash={hash} version={transaction.blockHash ?? ''} />
      )}
      {receipt !== undefined && <Logs guest={guest.name} logs={receipt.logs} />}
      <section>
        <h2>Input</h2>
        <HexData data={transaction.input} label="Input" />
      </section>
    </>
  );
}

/** @param version another one when the transaction ran again, in another block */
function Trace(props: { guest: GuestView; hash: string; version: string }): JSX.Element {
  const { api } = useConsole();
  const { guest, hash, version } = props;
  const query = useQuery(
    `${guest.id} ${hash} trace`,
    async (signal) => callTree(await ethClient(api, guest.name, signal).trace(hash)),
    version,
  );
  return (
    <section aria-label="Call trace">
      <h2>Calls{query.value !== undefined && <span class="faint"> ({query.value.size})</span>}</h2>
      <ErrorNote error={query.error} />
      {query.value !== undefined && <CallTree guest={guest.name} root={query.value} />}
    </section>
  );
}

function outcomeText(receipt: RpcReceipt | undefined): string {
  if (receipt === undefined) return 'waits for a block';
  return receipt.status === '0x1' ? 'succeeded' : 'failed';
}

function transactionFacts(
  guest: string,
  transaction: RpcTransaction,
  receipt: RpcReceipt | undefined,
): readonly FactRow[] {
  const { to, blockNumber, transactionIndex } = transaction;
  const gasUsed = receipt === undefined ? undefined : BigInt(receipt.gasUsed);
  const gasLimit = BigInt(transaction.gas);
  const price = receipt === undefined ? undefined : BigInt(receipt.effectiveGasPrice);
  return [
    ['hash', <CopyButton text={transaction.hash} label="hash" />],
    [
      'block',
      blockNumber === null ? undefined : (
        <>
          <BlockLink guest={guest} number={blockNumber} />
          <span class="faint"> at index {Number(transactionIndex ?? 0)}</span>
        </>
      ),
    ],
    ['from', <AddressLink guest={guest} address={transaction.from} isWhole />],
    [
      to === null ? 'created' : 'to',
      <Recipient guest={guest} to={to} created={receipt?.contractAddress ?? null} isWhole />,
    ],
    ['function', to === null ? undefined : functionName(transaction.input)],
    ['value', formatWei(BigInt(transaction.value))],
    [
      'gas',
      gasUsed === undefined
        ? `limit ${formatCount(gasLimit)}`
        : `${formatCount(gasUsed)} of ${formatCount(gasLimit)}`,
    ],
    [
      'fee',
      price === undefined || gasUsed === undefined
        ? undefined
        : `${formatWei(gasUsed * price)} at ${formatWei(price)} per gas`,
    ],
    ['nonce', BigInt(transaction.nonce).toString()],
    ['type', TYPES[Number(transaction.type)] ?? transaction.type],
  ];
}

/** @see EIP-2718 and those that name types */
const TYPES = ['0: legacy', '1: access list', '2: dynamic fee', '3: blobs', '4: set code'];

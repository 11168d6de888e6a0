import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useConsole } from '../context.ts';
import { formatCount, formatWei } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { EmptyState } from '../parts/empty-state.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Facts } from '../parts/facts.tsx';
import { Time } from '../parts/time.tsx';
import { hrefOf } from '../router.ts';
import { useQuery } from '../use-query.ts';
import { functionName } from './call-tree.ts';
import { ethClient } from './eth-client.ts';
import { AddressLink, TransactionLink } from './links.tsx';
import type { RpcFullBlock, RpcReceipt } from './rpc-types.ts';
import { useChainVersion } from './use-chain-version.ts';

/** A block and its transactions. @param block number, hash or tag */
export function BlockPage({ guest, block }: { guest: GuestView; block: string }): JSX.Element {
  const { api } = useConsole();
  const version = useChainVersion(guest);
  const query = useQuery(
    `${guest.id} ${block}`,
    async (signal) => {
      const chain = ethClient(api, guest.name, signal);
      const found = await chain.block(block);
      return { found, receipts: found === undefined ? [] : await chain.receiptsOf(found.number) };
    },
    version,
  );
  const { found, receipts = [] } = query.value ?? {};
  if (query.error !== undefined) return <ErrorNote error={query.error} />;
  if (query.value === undefined) return <p class="faint">Reading the block…</p>;
  if (found === undefined) {
    return (
      <EmptyState title={`The chain has no block ${block}`}>
        <a href={hrefOf({ page: 'blocks', guest: guest.name })}>The blocks that it has</a>
      </EmptyState>
    );
  }
  const number = Number(found.number);
  return (
    <>
      <div class="section-head">
        <h2>Block {formatCount(number)}</h2>
        <nav class="buttons" aria-label="Neighbours">
          {number > 0 && <Neighbour guest={guest.name} number={number - 1} label="Before" />}
          <Neighbour guest={guest.name} number={number + 1} label="Next" />
        </nav>
      </div>
      <section class="panel">
        <Facts rows={blockFacts(guest.name, found)} />
      </section>
      <h2>
        {found.transactions.length === 0
          ? 'No transactions'
          : `Transactions (${found.transactions.length})`}
      </h2>
      {found.transactions.length > 0 && (
        <Transactions guest={guest.name} block={found} receipts={receipts} />
      )}
    </>
  );
}

function Neighbour(props: { guest: string; number: number; label: string }): JSX.Element {
  const { guest, number, label } = props;
  return (
    <a class="button" href={hrefOf({ page: 'block', guest, block: String(number) })}>
      {label}
    </a>
  );
}

function blockFacts(guest: string, block: RpcFullBlock): Parameters<typeof Facts>[0]['rows'] {
  const { gasUsed, gasLimit } = block;
  const share = ((Number(gasUsed) / Number(gasLimit)) * 100).toFixed(1);
  const { baseFeePerGas } = block;
  return [
    ['time', <Time unixMs={Number(block.timestamp) * 1000} />],
    ['hash', <CopyButton text={block.hash} label="hash" />],
    [
      'parent',
      <a class="mono" href={hrefOf({ page: 'block', guest, block: block.parentHash })}>
        {block.parentHash}
      </a>,
    ],
    ['gas', `${formatCount(BigInt(gasUsed))} of ${formatCount(BigInt(gasLimit))} (${share} %)`],
    ['base fee', baseFeePerGas === undefined ? undefined : formatWei(BigInt(baseFeePerGas))],
    ['fees to', <AddressLink guest={guest} address={block.miner} isWhole />],
    ['state root', <CopyButton text={block.stateRoot} label="state root" />],
    ['size', `${formatCount(BigInt(block.size))} bytes`],
  ];
}

function Transactions(props: {
  guest: string;
  block: RpcFullBlock;
  receipts: readonly RpcReceipt[];
}): JSX.Element {
  const { guest, block, receipts } = props;
  const receiptOf = new Map(receipts.map((receipt) => [receipt.transactionHash, receipt]));
  return (
    <div class="scroll-x">
      <table>
        <thead>
          <tr>
            <th>Transaction</th>
            <th>Does</th>
            <th>From</th>
            <th>To</th>
            <th class="right">Value</th>
            <th class="right">Gas used</th>
          </tr>
        </thead>
        <tbody>
          {block.transactions.map((transaction) => {
            const { hash, from, to, value, input } = transaction;
            const receipt = receiptOf.get(hash);
            return (
              <tr key={hash}>
                <td>
                  <Outcome status={receipt?.status} />
                  <TransactionLink guest={guest} hash={hash} />
                </td>
                <td class="clip">{to === null ? 'create' : (functionName(input) ?? 'transfer')}</td>
                <td>
                  <AddressLink guest={guest} address={from} />
                </td>
                <td>
                  <Recipient guest={guest} to={to} created={receipt?.contractAddress ?? null} />
                </td>
                <td class="right number">{formatWei(BigInt(value))}</td>
                <td class="right number">
                  {receipt === undefined ? '–' : formatCount(BigInt(receipt.gasUsed))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** @param status as in a receipt; undefined: not known */
export function Outcome({ status }: { status: string | undefined }): JSX.Element {
  const text = status === undefined ? 'pending' : status === '0x1' ? 'succeeded' : 'failed';
  return <span class={`outcome-mark outcome-${text}`} role="img" aria-label={text} title={text} />;
}

/** Who a transaction went to, or the contract that it made. */
export function Recipient(props: {
  guest: string;
  to: string | null;
  created: string | null;
  isWhole?: boolean;
}): JSX.Element {
  const { guest, to, created, isWhole = false } = props;
  const address = to ?? created;
  if (address === null) return <span class="faint">none</span>;
  return <AddressLink guest={guest} address={address} isWhole={isWhole} />;
}

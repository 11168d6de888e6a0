import type { GuestView } from '@polyvisor/host/control/views';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useConsole } from '../context.ts';
import { formatCount, shortenHex } from '../format.ts';
import { Bar } from '../parts/bar.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../use-query.ts';
import { ethClient } from './eth-client.ts';
import { AddressLink, BlockLink } from './links.tsx';
import type { RpcSlimBlock } from './rpc-types.ts';
import { useChainVersion } from './use-chain-version.ts';

/** Blocks, newest first. The first page follows the head; older pages stay where they are. */
export function BlocksPage({ guest }: { guest: GuestView }): JSX.Element {
  const { api } = useConsole();
  const [from, setFrom] = useState<number>();
  const version = useChainVersion(guest);
  const query = useQuery(
    `${guest.id} ${from ?? 'head'}`,
    async (signal) => {
      const chain = ethClient(api, guest.name, signal);
      const head = await chain.headNumber();
      return { head, blocks: await chain.blocksDown(Math.min(from ?? head, head), BLOCKS_A_PAGE) };
    },
    version,
  );
  const { head = 0, blocks = [] } = query.value ?? {};
  return (
    <section aria-label="Blocks">
      <ErrorNote error={query.error} />
      {query.value !== undefined && (
        <>
          <Blocks guest={guest.name} blocks={blocks} />
          {head === 0 && (
            <p class="faint">
              The chain has only its first block: send a transaction, or call evm_mine.
            </p>
          )}
          <Pager from={from} head={head} go={setFrom} />
        </>
      )}
    </section>
  );
}

function Blocks(props: { guest: string; blocks: readonly RpcSlimBlock[] }): JSX.Element {
  const { guest, blocks } = props;
  return (
    <div class="scroll-x">
      <table>
        <thead>
          <tr>
            <th>Block</th>
            <th>Age</th>
            <th class="right">Txs</th>
            <th class="right">Gas used</th>
            <th class="wide-only">Filled</th>
            <th class="wide-only">Hash</th>
            <th class="wide-only">Fees to</th>
          </tr>
        </thead>
        <tbody>
          {blocks.map((block) => (
            <tr key={block.hash}>
              <td>
                <BlockLink guest={guest} number={block.number} />
              </td>
              <td>
                <Time unixMs={Number(block.timestamp) * 1000} />
              </td>
              <td class="right number">{block.transactions.length}</td>
              <td class="right number">{formatCount(BigInt(block.gasUsed))}</td>
              <td class="wide-only">
                <Bar share={Number(block.gasUsed) / Number(block.gasLimit)} />
              </td>
              <td class="wide-only mono faint">{shortenHex(block.hash, 6)}</td>
              <td class="wide-only">
                <AddressLink guest={guest} address={block.miner} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** @param from the newest block that is shown; undefined: the head, whichever that is */
function Pager(props: {
  from: number | undefined;
  head: number;
  go: (from: number | undefined) => void;
}): JSX.Element {
  const { from, head, go } = props;
  const newest = from ?? head;
  const oldest = Math.max(0, newest - BLOCKS_A_PAGE + 1);
  const newer = newest + BLOCKS_A_PAGE;
  return (
    <nav class="pager" aria-label="Pages of blocks">
      <button type="button" disabled={from === undefined} onClick={() => go(undefined)}>
        Newest
      </button>
      <button
        type="button"
        disabled={from === undefined}
        onClick={() => go(newer >= head ? undefined : newer)}
      >
        Newer
      </button>
      <button type="button" disabled={oldest === 0} onClick={() => go(oldest - 1)}>
        Older
      </button>
      <span class="faint">
        {formatCount(newest)} to {formatCount(oldest)} of {formatCount(head)}
      </span>
    </nav>
  );
}

const BLOCKS_A_PAGE = 20;

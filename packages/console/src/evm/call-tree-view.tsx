import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatCount, formatWei } from '../format.ts';
import { Bar } from '../parts/bar.tsx';
import type { CallNode } from './call-tree.ts';
import { HexData } from './hex-data.tsx';
import { AddressLink } from './links.tsx';

/** A transaction's calls, each below its caller; each can be closed, or opened for its data. */
export function CallTree({ guest, root }: { guest: string; root: CallNode }): JSX.Element {
  return (
    <ul class="calls calls-root">
      <Call guest={guest} call={root} gasOfAll={root.gasUsed} />
    </ul>
  );
}

function Call(props: { guest: string; call: CallNode; gasOfAll: number }): JSX.Element {
  const { guest, call, gasOfAll } = props;
  // A tree of thousands of calls opens in parts: drawing it whole would take seconds.
  const [isOpen, setOpen] = useState(call.path.split('.').length <= LEVELS_OPEN);
  const [hasData, setHasData] = useState(false);
  return (
    <li class={call.failure === undefined ? 'call' : 'call call-bad'}>
      <div class="call-line">
        {call.calls.length > 0 ? (
          <button
            type="button"
            class="fold"
            aria-expanded={isOpen}
            aria-label={`${call.calls.length} calls below`}
            onClick={() => setOpen(!isOpen)}
          />
        ) : (
          <span class="fold-none" />
        )}
        <button
          type="button"
          class="call-name"
          aria-expanded={hasData}
          title="Input, output and gas"
          onClick={() => setHasData(!hasData)}
        >
          <span class={`call-type call-${call.type.toLowerCase()}`}>{call.type}</span>
          <span class="mono clip">{call.function ?? (call.input === '0x' ? 'value' : '')}</span>
        </button>
        {call.to === undefined ? (
          <span class="faint">nothing made</span>
        ) : (
          <AddressLink guest={guest} address={call.to} />
        )}
        {call.value > 0n && <span class="tag number">{formatWei(call.value)}</span>}
        {call.failure !== undefined && <span class="bad">{call.failure}</span>}
        <span class="call-gas">
          <Bar share={gasOfAll === 0 ? 0 : call.gasUsed / gasOfAll} />
          <span class="number">{formatCount(call.gasUsed)}</span>
        </span>
      </div>
      {hasData && <CallData guest={guest} call={call} />}
      {isOpen && call.calls.length > 0 && (
        <ul class="calls">
          {call.calls.map((below) => (
            <Call key={below.path} guest={guest} call={below} gasOfAll={gasOfAll} />
          ))}
        </ul>
      )}
    </li>
  );
}

function CallData({ guest, call }: { guest: string; call: CallNode }): JSX.Element {
  return (
    <dl class="facts call-data">
      <dt>from</dt>
      <dd>
        <AddressLink guest={guest} address={call.from} isWhole />
      </dd>
      <dt>to</dt>
      <dd>
        {call.to === undefined ? 'none' : <AddressLink guest={guest} address={call.to} isWhole />}
      </dd>
      <dt>gas</dt>
      <dd class="number">
        {formatCount(call.gasUsed)} of {formatCount(call.gas)}, {formatCount(call.gasOwn)} its own
      </dd>
      <dt>input</dt>
      <dd>
        <HexData data={call.input} label="Input" />
      </dd>
      <dt>output</dt>
      <dd>
        <HexData data={call.output ?? '0x'} label="Output" />
      </dd>
    </dl>
  );
}

const LEVELS_OPEN = 6;

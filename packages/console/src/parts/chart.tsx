import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useConsole } from '../context.ts';
import type { SampleField } from '../sample-ring.ts';

/** A guest's usage over the last two minutes, drawn as it comes in. */
export function Chart(props: {
  guestId: string;
  field: SampleField;
  label: string;
  format: (value: number) => string;
  size: 'spark' | 'large';
}): JSX.Element {
  const { live } = useConsole();
  const frame = useRef<HTMLDivElement>(null);
  const { guestId, field, size, format } = props;
  const samples = live.samples(guestId);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const plot = new uPlot(
      { ...(size === 'spark' ? spark(field) : large(format, field)), ...sizeOf(element) },
      samples.columns(field),
      element,
    );
    let drawn = samples.newest;
    const draw = (): void => {
      if (samples.newest === drawn) return;
      drawn = samples.newest;
      plot.setData(samples.columns(field));
    };
    const resizing = new ResizeObserver(() => plot.setSize(sizeOf(element)));
    resizing.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolour = (): void => plot.redraw(false, true);
    scheme.addEventListener('change', recolour);
    const unfollow = live.guests.follow(draw);
    return () => {
      unfollow();
      scheme.removeEventListener('change', recolour);
      resizing.disconnect();
      plot.destroy();
    };
  }, [samples, field, size]);
  const newest = samples.newest;
  const text = newest === undefined ? '–' : format(newest[field]);
  return (
    <figure class={`chart chart-${size}`}>
      <figcaption>
        <span class="faint">{props.label}</span> <span class="number">{text}</span>
      </figcaption>
      <div ref={frame} class="chart-frame" role="img" aria-label={`${props.label}, now ${text}`} />
    </figure>
  );
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: clientWidth, height: clientHeight };
}

/** uPlot asks for colours at each drawing, so that they follow the page's scheme. */
function colour(name: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const series: uPlot.Series[] = [
  {},
  {
    stroke: colour('--accent'),
    fill: colour('--accent-wash'),
    width: 1.5,
    points: { show: false },
  },
];

/** From zero up with room above; a line along the bottom when all is zero. */
function scales(field: SampleField): uPlot.Scales {
  return {
    x: { time: false, range: ({ data: [times] }) => timesShown(times) },
    y: { range: (_plot, _least, most) => [0, Math.max(most * 1.15, LEAST_TOP[field])] },
  };
}

/** What a chart reaches up to at least: noise is not blown up, an axis of nothing has steps. */
const LEAST_TOP: Readonly<Record<SampleField, number>> = { cpu: 0.01, memory: 4096, work: 100 };

function spark(field: SampleField): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    series,
    scales: scales(field),
    axes: [{ show: false }, { show: false }],
    legend: { show: false },
    cursor: { show: false },
    padding: [2, 0, 2, 0],
  };
}

function large(
  format: (value: number) => string,
  field: SampleField,
): Omit<uPlot.Options, 'width' | 'height'> {
  const axis: uPlot.Axis = {
    stroke: colour('--faint'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    series,
    scales: scales(field),
    axes: [
      {
        ...axis,
        size: 22,
        splits: (_plot, _axis, oldest, newest) => timesBefore(newest, newest - oldest),
        values: (plot, splits) => splits.map((at) => ago(plot, at)),
      },
      {
        ...axis,
        size: 66,
        space: 34,
        values: (_plot, splits) => splits.map(format),
        ...(field === 'memory' ? { incrs: POWERS_OF_TWO } : {}),
      },
    ],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    padding: [8, 12, 0, 0],
  };
}

/** What uPlot proposes is no use: around a single sample it makes room for twice its time. */
function timesShown(times: ArrayLike<number>): [from: number, to: number] {
  const oldest = times[0] ?? 0;
  const newest = times[times.length - 1] ?? 0;
  return [Math.min(oldest, newest - SECONDS_SHOWN_MIN), newest];
}

/** A young chart is not stretched. */
const SECONDS_SHOWN_MIN = 30;

/** Every 10 or 30 seconds back from the newest sample; none at the very left, by the other axis. */
function timesBefore(newest: number, seconds: number): number[] {
  const step = seconds > 60 ? 30 : 10;
  const count = Math.ceil(seconds / step) - 1;
  return Array.from({ length: count + 1 }, (_, index) => newest - (count - index) * step);
}

/** Steps of an axis of bytes: 1 KiB to 1 TiB. */
const POWERS_OF_TWO = Array.from({ length: 31 }, (_, power) => 2 ** (10 + power));

/** Seconds before the newest sample. */
function ago(plot: uPlot, at: number): string {
  const newest = plot.data[0].at(-1) ?? at;
  return at === newest ? 'now' : `${Math.round(at - newest)} s`;
}

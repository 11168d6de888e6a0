import { HostError } from '@polyvisor/errors/host-error';
import { copyBackend } from './copy-backend.ts';
import type { BackendName, MemoryBackend } from './memory-backend.ts';
import { createMmapBackend, mmapObstacle } from './mmap-backend.ts';
import { type Binding, openNative } from './native.ts';

/** A way to make snapshots, or why it is not to be had here. */
export type BackendReport =
  | { readonly name: BackendName; readonly backend: MemoryBackend }
  | { readonly name: BackendName; readonly obstacle: string };

/** Best first. */
const candidates: readonly (() => BackendReport)[] = [
  () => mmapReport('mmap-node', 'node'),
  () => mmapReport('mmap-koffi', 'koffi'),
  () => ({ name: 'copy', backend: copyBackend }),
];

let best: MemoryBackend | undefined;

/** The best back end of this machine. Foreign functions are loaded at the first call, not at import. */
export function bestBackend(): MemoryBackend {
  return (best ??= select());
}

/** @throws HostError `memory-backend` if it is not to be had here */
export function backendByName(name: BackendName): MemoryBackend {
  const report = backendReports().find((entry) => entry.name === name);
  if (report && 'backend' in report) return report.backend;
  const available = backendReports().filter((entry) => 'backend' in entry);
  throw new HostError(
    'memory-backend',
    `memory back end '${name}' is not available: ${report?.obstacle ?? 'there is no such'}`,
    `use one of ${available.map((entry) => entry.name).join(', ')}`,
  );
}

let reports: readonly BackendReport[] | undefined;

/** All back ends, for a person who asks why forks are slow. */
export function backendReports(): readonly BackendReport[] {
  return (reports ??= candidates.map((candidate) => candidate()));
}

function select(): MemoryBackend {
  for (const candidate of candidates) {
    const report = candidate();
    if ('backend' in report) return report.backend;
  }
  return copyBackend;
}

function mmapReport(name: BackendName, binding: Binding): BackendReport {
  // A browser has no `process`.
  const platform = (globalThis.process as NodeJS.Process | undefined)?.platform;
  if (platform !== 'linux') return { name, obstacle: 'only on Linux' };
  try {
    const native = openNative(binding);
    const obstacle = mmapObstacle(native);
    return obstacle === undefined
      ? { name, backend: createMmapBackend(name, native) }
      : { name, obstacle };
  } catch (error) {
    // Missing, of another version, or forbidden by Node's permission model.
    return { name, obstacle: String(error) };
  }
}

import type { GuestView } from '@polyvisor/host/control/views';
import { useConsole } from '../context.ts';
import { useStore } from '../store.ts';

/**
 * Another text whenever what the chain says may have changed: a block came or was taken back, the
 * guest went to a snapshot, or it answers again.
 */
export function useChainVersion({ head, state }: GuestView): string {
  const { live } = useConsole();
  return `${head} ${state} ${useStore(live.snapshotNews)}`;
}

import type { Rows } from '@polyvisor/store/rows';
import type { HostedGuest } from '../hosted-guest.ts';
import type { GuestContext, Instance } from '../instance.ts';

/** A row of the registry: how guests of one kind are made. `Resolved` is plain data, kept in a guest's database. */
export interface GuestKind<
  Options,
  Resolved,
  State,
  Faces extends object,
  Made extends Instance<State> = Instance<State>,
> {
  /**
   * Options with every default filled in.
   * @param where how the user knows the guest (`guests.l1`)
   * @throws HostError `bad-option`
   */
  resolve(options: Options, where: string, unixMs: number): Resolved;
  /** A new guest. */
  create(resolved: Resolved, context: GuestContext): Promise<Made>;
  /** A guest from its durable form: rows by table, as `changesSince(undefined)` gave them. */
  load(resolved: Resolved, rows: Rows, context: GuestContext): Promise<Made>;
  /** Another guest that goes on from `state`, a state of this kind. */
  fork(resolved: Resolved, state: State, context: GuestContext): Promise<Made>;
  /** Options for a fork: no two guests can listen on one port. */
  forkOptions(resolved: Resolved): Resolved;
  /** The state that stored rows describe, to be given to `restore` of a guest with the same options. */
  loadState(resolved: Resolved, rows: Rows): State;
  /** What guests of this kind have for programs beyond the contract: the members of `host.create`'s result. */
  faces(instance: Made, guest: HostedGuest): Faces;
}

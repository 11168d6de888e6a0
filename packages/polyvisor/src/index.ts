/** The one door of the package: hosts and guests for programs. */
export { HostError } from '@polyvisor/errors/host-error';
export { createHost } from '@polyvisor/host/host';
export type { CreateOptions, Host, HostOptions } from '@polyvisor/host/host';
export type { ForkOptions, Guest, GuestUsage } from '@polyvisor/host/guest';
export type { GuestLimits, GuestSpec, NetworkPolicy } from '@polyvisor/host/guest-spec';
export type { GuestState, GuestStateName } from '@polyvisor/host/guest-state';
export type { HostEvent } from '@polyvisor/host/host-events';
export type { Endpoint, Fact, ListenOptions } from '@polyvisor/host/instance';
export type { GuestKinds } from '@polyvisor/host/kinds/registry';
export type { Snapshot } from '@polyvisor/host/snapshots';
export { evm } from './evm.ts';
export type { EvmSettings } from './evm.ts';

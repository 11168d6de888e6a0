/** The one door of the package: hosts and guests for programs. */
export { HostError } from '@polyvisor/errors/host-error';
export { createHost } from '@polyvisor/host/host';
export type { CreateOptions, Host, HostOptions } from '@polyvisor/host/host';
export type { ForkOptions, Guest, GuestUsage } from '@polyvisor/host/guest';
export type { GuestLimits, GuestSpec, NetworkPolicy } from '@polyvisor/host/guest-spec';
export type { GuestState, GuestStateName } from '@polyvisor/host/guest-state';
export type { HostEvent } from '@polyvisor/host/host-events';
export type {
  CommandResult,
  Endpoint,
  Fact,
  GuestConsole,
  GuestShell,
  ListenOptions,
  RunOptions,
} from '@polyvisor/host/instance';
export type { GuestKinds } from '@polyvisor/host/kinds/registry';
export type { Snapshot } from '@polyvisor/host/snapshots';
export { Sandbox } from '@polyvisor/host/sandbox';
export type { SandboxOptions, SandboxResult, SandboxRunOptions } from '@polyvisor/host/sandbox';
export { evm } from './evm.ts';
export type { EvmSettings } from './evm.ts';
export { linux } from './linux.ts';
export type { LinuxSettings } from './linux.ts';

import { assert } from '@polyvisor/errors/assert';
import { createHost } from '@polyvisor/host/host';
import type { Guest } from '@polyvisor/host/guest';
import type { GuestSpec } from '@polyvisor/host/guest-spec';
import type { GuestKinds } from '@polyvisor/host/kinds/registry';
import { test as base } from 'vitest';
import type { TestAPI } from 'vitest';

/**
 * Vitest's `test` with a guest for each name. Every worker process starts the guests once (the origins); every test
 * gets a fork of each one it asks for, and loses it at its end. A fork costs microseconds and shares the origin's
 * state, so tests can't see each other. In process: no ports.
 * @example
 * const test = chains({ l1: evm() });
 * test('mines', async ({ l1 }) => { await l1.client.mine(); });
 */
export function chains<Specs extends Readonly<Record<string, GuestSpec>>>(
  specs: Specs,
  options: ChainsOptions<Specs> = {},
): TestAPI<ChainsContext<Specs>> {
  // Vitest reads a fixture's needs from its parameter list, so they have to be spelled out there.
  // oxlint-disable-next-line no-empty-pattern
  const withOrigins = base.extend('$origins', { scope: 'worker' }, async ({}, { onCleanup }) => {
    const host = await createHost();
    onCleanup(() => host.close());
    const origins: Record<string, Guest> = {};
    for (const [name, spec] of Object.entries(specs)) {
      origins[name] = await host.create({ ...spec, name });
    }
    // Each name got the guest that its spec's kind makes.
    await options.prepare?.(origins as Chains<Specs>);
    return origins;
  });
  let test = withOrigins;
  for (const name of Object.keys(specs)) {
    const withFork = test.extend(name, async ({ $origins }, { onCleanup }) => {
      const origin = $origins[name];
      assert(origin !== undefined, 'every spec has its origin');
      const fork = await origin.fork();
      onCleanup(() => fork.remove());
      return fork;
    });
    test = withFork as unknown as typeof test;
  }
  return test as unknown as TestAPI<ChainsContext<Specs>>;
}

/** A guest for each spec, with the faces of its kind. */
export type Chains<Specs extends Readonly<Record<string, GuestSpec>>> = {
  readonly [Name in keyof Specs]: GuestKinds[Specs[Name]['kind']]['guest'];
};

/** What a test gets. */
export type ChainsContext<Specs extends Readonly<Record<string, GuestSpec>>> = Chains<Specs> & {
  /** The guests that the forks are made of. What a test does to them, all later ones see. */
  readonly $origins: Chains<Specs>;
};

export interface ChainsOptions<Specs extends Readonly<Record<string, GuestSpec>>> {
  /** Brings the origins to where every test starts (contracts deployed, say); runs once a worker. */
  readonly prepare?: (origins: Chains<Specs>) => Promise<void>;
}

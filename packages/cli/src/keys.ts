import type { Guest } from '@polyvisor/host/guest';
import type { Host } from '@polyvisor/host/host';
import { isEvm, keyLines } from './banner.ts';
import { reportFailure } from './failure.ts';
import type { Terminal } from './terminal.ts';

/**
 * Single keys while a host runs in the terminal.
 * @param quit called once, when the person wants to end it
 * @returns gives the keyboard back
 */
export function listenToKeys(terminal: Terminal, host: Host, quit: () => void): () => void {
  return terminal.onKey((key) => {
    if (key === CTRL_C || key === 'q') return quit();
    const action = actions[key];
    if (action === undefined) return;
    action.run(terminal, host).catch((error: unknown) => {
      reportFailure(terminal, error, false);
    });
  });
}

interface KeyAction {
  readonly help: string;
  run(terminal: Terminal, host: Host): Promise<void>;
}

const actions: Readonly<Record<string, KeyAction>> = {
  h: {
    help: 'this help',
    async run(terminal) {
      for (const [key, { help }] of Object.entries(actions)) terminal.print(`  ${key}  ${help}`);
      terminal.print('  q  stop everything and quit');
    },
  },
  k: {
    help: 'development accounts and their keys',
    async run(terminal, host) {
      for (const guest of host.guests.values()) {
        if (!isEvm(guest)) continue;
        terminal.print(`  ${guest.name}`);
        terminal.print(keyLines(guest.accounts, terminal).join('\n'));
      }
    },
  },
  s: {
    help: 'snapshot every guest',
    async run(terminal, host) {
      for (const guest of live(host)) {
        const { id, head } = await guest.snapshot();
        terminal.print(`  ${guest.name}: snapshot ${id} at ${head}`);
      }
    },
  },
  r: {
    help: 'take every guest back to its newest snapshot',
    async run(terminal, host) {
      for (const guest of live(host)) {
        const newest = guest.snapshots.list().at(-1);
        if (newest === undefined) terminal.print(`  ${guest.name}: it has no snapshot`);
        else {
          await guest.restore(newest.id);
          terminal.print(`  ${guest.name}: back at ${newest.head} (${newest.id})`);
        }
      }
    },
  },
  f: {
    help: 'fork every guest',
    async run(terminal, host) {
      for (const guest of live(host)) {
        const fork = await guest.fork();
        terminal.print(`  ${fork.name}: a fork of ${guest.name} at ${await fork.listen()}`);
      }
    },
  },
};

function live(host: Host): Guest[] {
  return [...host.guests.values()].filter(({ state }) => state.name !== 'stopped');
}

const CTRL_C = '\u0003';

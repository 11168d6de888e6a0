import type { Host } from '@polyvisor/host/host';
import type { Guest } from '@polyvisor/host/guest';
import type { DevelopmentAccount, EvmFaces } from '@polyvisor/host/kinds/evm-types';
import type { Terminal } from './terminal.ts';

/** What a start says of itself. */
export interface Started {
  readonly version: string;
  /** From the start of the process until every guest answered, milliseconds. */
  readonly readyMs: number;
  /** URL of the console with its token; undefined: there is none. */
  readonly console: string | undefined;
  /** Lines of a demo, by name. */
  readonly demo: readonly (readonly [name: string, value: string])[];
  /** What the person at the terminal can press. */
  readonly keys: string;
}

/** What `up` prints: at most 24 lines, however many guests there are. */
export function banner(host: Host, started: Started, terminal: Terminal): string {
  const { style } = terminal;
  const name = style('bold', `polyvisor ${started.version}`);
  const ready = style('green', `ready in ${Math.round(started.readyMs)} ms`);
  const node = style('dim', `node ${process.versions.node}`);
  const lines = [
    `  ${name}   ${ready}   ${node}`,
    '',
    ...guestLines([...host.guests.values()], terminal),
    ...started.demo.map(([what, value]) => `  ${what.padEnd(NAME_WIDTH)} ${value}`),
  ];
  if (started.console !== undefined) {
    lines.push(`  ${'console'.padEnd(NAME_WIDTH)} ${style('cyan', started.console)}`);
  }
  const onlyGuest = host.guests.size === 1 ? [...host.guests.values()].find(isEvm) : undefined;
  if (onlyGuest !== undefined) lines.push('', ...keyLines(onlyGuest.accounts, terminal));
  if (terminal.isInteractive) {
    lines.push('', style('dim', `  ${started.keys}`));
  }
  return ['', ...lines, ''].join('\n');
}

/** The same for programs, in one line. */
export function bannerJson(host: Host, started: Started): string {
  return JSON.stringify({
    version: started.version,
    readyMs: Math.round(started.readyMs),
    instanceId: host.instanceId,
    pid: process.pid,
    console: started.console,
    control: host.control && { url: host.control.url, token: host.control.token },
    guests: [...host.guests.values()].map((guest) => ({
      name: guest.name,
      id: guest.id,
      kind: guest.kind,
      state: guest.state.name,
      endpoints: guest.endpoints,
      facts: Object.fromEntries(guest.facts()),
      ...(isEvm(guest) ? { accounts: guest.accounts } : {}),
    })),
    demo: started.demo.length === 0 ? undefined : Object.fromEntries(started.demo),
  });
}

/** Development accounts with their keys, and the warning that belongs to them. */
export function keyLines(accounts: readonly DevelopmentAccount[], terminal: Terminal): string[] {
  if (accounts.length === 0) return ['  no development accounts'];
  const shown = accounts.slice(0, KEYS_SHOWN);
  const lines = shown.map(
    ({ address, privateKey }, index) => `  (${index}) ${address}  ${privateKey}`,
  );
  if (accounts.length > KEYS_SHOWN) {
    lines.push(`  and ${accounts.length - KEYS_SHOWN} more: polyvisor ps --json`);
  }
  const warning = 'everybody knows these keys: never send anything of worth to these accounts';
  return [...lines, terminal.style('yellow', `  warning: ${warning}`)];
}

export function isEvm(guest: Guest): guest is Guest & EvmFaces {
  return guest.kind === 'evm';
}

function guestLines(guests: readonly Guest[], { style }: Terminal): string[] {
  const shown = guests.slice(0, GUESTS_SHOWN);
  const lines = shown.map((guest) => {
    const name = guest.name.padEnd(NAME_WIDTH);
    const where = guest.endpoints[0]?.url ?? `polyvisor attach ${guest.name}`;
    const facts = guest.facts().map(([fact, value]) => `${fact} ${value}`);
    const state = guest.state.name === 'running' ? '' : style('yellow', `  ${guest.state.name}`);
    return `  ${name} ${style('cyan', where.padEnd(24))} ${facts.join('   ')}${state}`;
  });
  if (guests.length > GUESTS_SHOWN) {
    lines.push(`  and ${guests.length - GUESTS_SHOWN} more: polyvisor ps`);
  }
  return lines;
}

const NAME_WIDTH = 8;
const GUESTS_SHOWN = 12;
const KEYS_SHOWN = 10;

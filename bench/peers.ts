import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Programs that we are measured against, from npm, at these versions. They are no dependencies of the project. */
const versions = {
  '@foundry-rs/anvil': '1.7.1',
  '@ethereumjs/evm': '10.1.3',
  '@ethereumjs/common': '10.1.3',
  '@ethereumjs/util': '10.1.3',
  '@ethereumjs/statemanager': '10.1.3',
  v86: '0.5.462',
} as const;

export type PeerPackage = keyof typeof versions;

const folder = join(import.meta.dirname, '..', '.cache', 'peers');

/** Folder of a peer's package, installed at the first call. */
export function peerPackage(name: PeerPackage): string {
  const path = join(folder, 'node_modules', name);
  if (!existsSync(path)) install();
  return path;
}

export function peerVersion(name: PeerPackage): string {
  return `${name} ${versions[name]}`;
}

function install(): void {
  console.error('bench: installing the peers from npm (once)…');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: versions }),
  );
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

import { homedir } from 'node:os';
import { join } from 'node:path';

/** Directory of the user's own files; `POLYVISOR_HOME` moves it. */
export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env['POLYVISOR_HOME'] ?? join(homedir(), '.polyvisor');
}

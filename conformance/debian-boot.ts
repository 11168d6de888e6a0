import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeInitrd } from './initrd.ts';
import { VectorsMissing } from './vectors.ts';

/** What a boot needs, in a folder. */
export const KERNEL_FILE = 'Image';
export const INITRD_FILE = 'initrd.gz';
const SUMS_FILE = 'SHA256SUMS';

const RELEASE = 'trixie';
/** Names of the release on a mirror, which may be in the middle of its sync under one of them. */
const SUITES = [RELEASE, 'stable'];
const ARCHITECTURE = 'riscv64';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Says when it is there, and gives a prompt of `# `. */
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin PS1='# '
echo SHELL-READY
exec sh -i
`;

/**
 * Debian's own kernel and busybox for RISC-V, in a folder that is filled once: from the mirror that
 * this machine's apt uses, or that of POLYVISOR_MIRROR. apt checks signatures and hashes, and what
 * it refuses is not used.
 * @throws VectorsMissing where there is no apt, no network, or no consistent mirror
 */
export function debianBootFolder(cache: string): string {
  const folder = join(cache, `${RELEASE}-${ARCHITECTURE}`);
  if (isIntact(folder)) return folder;
  const scratch = `${folder}.partial`;
  rmSync(folder, { recursive: true, force: true });
  const environment = updateApt(scratch);
  const run = (command: string, ...args: string[]): Buffer =>
    runTool(command, args, scratch, environment);
  const depends = run('apt-cache', 'depends', `linux-image-${ARCHITECTURE}`).toString();
  const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (kernel === undefined)
    throw new VectorsMissing(`the mirror has no kernel for ${ARCHITECTURE}`);
  run('apt-get', 'download', kernel, 'busybox-static');
  const package_ = (name: string): string =>
    join(
      scratch,
      readdirSync(scratch).find((file) => file.startsWith(`${name}_`))!,
    );
  run('dpkg-deb', '-x', package_(kernel), join(scratch, 'kernel'));
  run('dpkg-deb', '-x', package_('busybox-static'), join(scratch, 'busybox'));
  const boot = join(scratch, 'kernel', 'boot');
  const image = readFileSync(
    join(
      boot,
      readdirSync(boot).find((file) => file.startsWith('vmlinu'))!,
    ),
  );
  const tools = ['bin', 'usr/bin'].map((path) => join(scratch, 'busybox', path, 'busybox'));
  const busybox = readFileSync(tools.find((path) => existsSync(path))!);
  rmSync(scratch, { recursive: true });
  mkdirSync(scratch, { recursive: true });
  write(scratch, { [KERNEL_FILE]: image, [INITRD_FILE]: busyboxInitrd(busybox) });
  renameSync(scratch, folder);
  return folder;
}

function busyboxInitrd(busybox: Uint8Array): Uint8Array {
  const directory = 0o040755;
  return makeInitrd([
    { name: 'bin', mode: directory },
    { name: 'dev', mode: directory },
    { name: 'dev/console', mode: 0o020600, device: [5, 1] },
    { name: 'bin/busybox', mode: 0o100755, bytes: busybox },
    { name: 'init', mode: 0o100755, bytes: Buffer.from(INIT) },
  ]);
}

/** An apt that knows the release's packages, by the first of its names under which the mirror is whole. */
function updateApt(folder: string): NodeJS.ProcessEnv {
  const refusals: string[] = [];
  for (const suite of SUITES) {
    rmSync(folder, { recursive: true, force: true });
    const environment = prepareApt(folder, suite);
    try {
      // Half an index is none: apt says so by its status only if told to.
      const update = ['-o', 'APT::Update::Error-Mode=any', 'update'];
      runTool('apt-get', update, folder, environment);
      if (codename(folder) === RELEASE) return environment;
      refusals.push(`${suite} is ${codename(folder)}`);
    } catch (error) {
      if (!(error instanceof VectorsMissing)) throw error;
      refusals.push(`${suite}: ${error.message}`);
    }
  }
  throw new VectorsMissing(refusals.join('; '));
}

/** As the signed index says. */
function codename(folder: string): string | undefined {
  const lists = join(folder, 'state/lists');
  const release = readdirSync(lists).find((name) => name.endsWith('InRelease'));
  const text = release === undefined ? '' : readFileSync(join(lists, release), 'utf8');
  return /^Codename: (\S+)$/m.exec(text)?.[1];
}

/** A root of apt's own for the foreign architecture, beside the machine's. */
function prepareApt(folder: string, suite: string): NodeJS.ProcessEnv {
  for (const path of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, 'state/status'), '');
  const mirror = process.env['POLYVISOR_MIRROR'] ?? systemMirror();
  const source = `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`;
  writeFileSync(join(folder, 'sources.list'), source);
  const configuration = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'state/status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'APT::Architecture': ARCHITECTURE,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const lines = Object.entries(configuration).map(([key, value]) => `${key} "${value}";\n`);
  const file = join(folder, 'apt.conf');
  writeFileSync(file, `${lines.join('')}APT::Architectures { "${ARCHITECTURE}"; };\n`);
  return { ...process.env, APT_CONFIG: file, LC_ALL: 'C' };
}

function systemMirror(): string {
  const targets = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'];
  const mirrors = runTool('apt-get', targets, '/', process.env).toString().split('\n');
  const mirror = mirrors.find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined)
    throw new VectorsMissing('apt knows no mirror of Debian; set POLYVISOR_MIRROR');
  return mirror;
}

function runTool(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    maxBuffer: 2 ** 28,
  });
  if (error) throw new VectorsMissing(`cannot run ${command}: ${error.message}`);
  if (status === 0) return stdout;
  const why =
    stderr
      .toString()
      .split('\n')
      .find((line) => line.startsWith('E:')) ?? stderr.toString();
  throw new VectorsMissing(`${command} ${args.at(-1)}: ${why.trim()}`);
}

function write(folder: string, files: Readonly<Record<string, Uint8Array>>): void {
  const sums = Object.entries(files).map(([name, bytes]) => {
    writeFileSync(join(folder, name), bytes);
    return `${sha256(bytes)}  ${name}\n`;
  });
  writeFileSync(join(folder, SUMS_FILE), sums.join(''));
}

/** Whether the folder has what was once put there. */
function isIntact(folder: string): boolean {
  const sums = join(folder, SUMS_FILE);
  if (!existsSync(sums)) return false;
  const lines = readFileSync(sums, 'utf8').trim().split('\n');
  return lines.every((line) => {
    const [sum, name] = line.split('  ') as [string, string];
    const path = join(folder, name);
    return existsSync(path) && sha256(readFileSync(path)) === sum;
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@polyvisor/host/host';
import type { Host } from '@polyvisor/host/host';
import type { Guest } from '@polyvisor/host/guest';
import { openMirror } from '@polyvisor/images/build/debian-mirror';
import { buildDebianImage } from '@polyvisor/images/build/debian-system';
import { sha256Hex } from '@polyvisor/images/file-cache';
import { addImage, listImages, removeImage } from '@polyvisor/images/image-store';
import { buildOptions, orMissing, releaseOf } from './debian-boot.ts';
import { GuestTerminal } from './guest-terminal.ts';
import { type MirrorServer, serveMirror } from './mirror-server.ts';
import { type FileResult, type RunOptions, bookLater } from './suite.ts';

/** What the names of the image in the store begin with, and what it has beside the base system. */
const IMAGE = 'debian-gcc';
const INCLUDE = ['systemd-sysv', 'dbus', 'iproute2', 'gcc', 'libc6-dev'];
const PROMPT = 'root@polyvisor:~# ';
/** The gateway of the guest's network, behind which the host's own loopback address is. */
const HOST_ADDRESS = '10.0.2.2';
const SOURCES = '/etc/apt/sources.list.d/debian.sources';
const SOURCES_OF_IMAGES = join(import.meta.dirname, '..', 'packages', 'images', 'src');
const PROGRAM = join(import.meta.dirname, 'programs', 'primes.c');

/** Debian as its packages make it, with systemd, apt and gcc, used at its terminal. @param home a store */
export async function bootDebian(
  result: FileResult,
  home: string,
  options: RunOptions,
): Promise<void> {
  await using debian = new Debian(home);
  const check = async (name: string, run: () => Promise<string | undefined>): Promise<void> =>
    await bookLater(result, `debian: ${name}`, options, run);
  await check('systemd boots to a shell, and all of its services run', () => debian.isRunning());
  await check('apt-get installs a package over the network', () => debian.installsPackage());
  await check('gcc compiles a program, which runs', () => debian.compiles());
  await check('it powers off', () => debian.powersOff());
}

/** One guest, booted when the first case needs it. */
class Debian implements AsyncDisposable {
  readonly #home: string;
  readonly #opened = new AsyncDisposableStack();
  #booted: Promise<Booted> | undefined;

  constructor(home: string) {
    this.#home = home;
  }

  async isRunning(): Promise<string | undefined> {
    const { terminal } = await this.#boot();
    const first = await terminal.run('cat /proc/1/comm');
    if (!/^systemd$/m.test(first.text)) return `the first process is another: ${first.text}`;
    const { text, status } = await terminal.run('systemctl is-system-running --wait');
    if (status === 0 && /^running$/m.test(text)) return undefined;
    return `${text}\n${(await terminal.run('systemctl --failed --no-pager')).text}`;
  }

  async installsPackage(): Promise<string | undefined> {
    const { terminal, mirror, suite } = await this.#boot();
    const none = await terminal.run('hello');
    if (none.status !== 127) return `it is there already: ${none.text}`;
    const address = `http://${HOST_ADDRESS}:${mirror.port}`;
    await terminal.run(
      `sed -i 's|^URIs:.*|URIs: ${address}|;s|^Suites:.*|Suites: ${suite}|' ${SOURCES}`,
    );
    const update = await terminal.run('apt-get update');
    // It has the status 0, too, where it takes old lists for those that it could not get.
    if (update.status !== 0 || /^[WE]: /m.test(update.text))
      return `apt-get update: ${update.text}`;
    const install = await terminal.run('DEBIAN_FRONTEND=noninteractive apt-get install -y hello');
    if (install.status !== 0) return `apt-get install: ${install.text}`;
    if (!mirror.given.some((path) => /\/hello_[^/]+\.deb$/.test(path))) {
      return `the package came from elsewhere: ${mirror.given.join(' ')}`;
    }
    const hello = await terminal.run('hello');
    if (hello.status !== 0 || !/^Hello, world!$/m.test(hello.text)) return `hello: ${hello.text}`;
    console.log(`debian: a package installed after ${terminal.spent}`);
    return undefined;
  }

  async compiles(): Promise<string | undefined> {
    const { guest, terminal } = await this.#boot();
    await guest.shell.writeFile('/root/primes.c', readFileSync(PROGRAM));
    const gcc = await terminal.run('gcc -O2 -Wall -Werror -o primes primes.c');
    if (gcc.status !== 0) return `gcc: ${gcc.text}`;
    const { text, status } = await terminal.run('./primes 100000');
    console.log(`debian: a program compiled and run after ${terminal.spent}`);
    // OEIS A006880 for the number of primes below 10^5; the sum of 1/n^2 in the order that JavaScript has it.
    const wanted = `9592 primes, sum ${sumOfSquares(100_000)}`;
    return status === 0 && text.includes(wanted) ? undefined : `not ${wanted}: ${text}`;
  }

  async powersOff(): Promise<string | undefined> {
    const { guest, terminal } = await this.#boot();
    terminal.type('systemctl poweroff\n');
    await terminal.until(() => guest.head() === 'off', 'its end');
    console.log(`debian: off after ${terminal.spent}`);
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  #boot(): Promise<Booted> {
    this.#booted ??= this.#begin();
    return this.#booted;
  }

  async #begin(): Promise<Booted> {
    const image = await fillDebian(this.#home);
    const repository = await orMissing(openMirror(buildOptions(this.#home)));
    const release = releaseOf(this.#home, repository);
    const mirror = this.#opened.use(await serveMirror(repository, release));
    // Where images are looked up by name.
    process.env['POLYVISOR_HOME'] = this.#home;
    const host: Host = this.#opened.use(await createHost());
    const guest = await host.create({
      kind: 'linux',
      network: { allow: [`tcp:host:${mirror.port}`] },
      options: { image },
    });
    const terminal = this.#opened.use(new GuestTerminal(guest, PROMPT));
    await terminal.prompt();
    console.log(`debian: a shell after ${terminal.spent}`);
    return { guest, terminal, mirror, suite: repository.suite };
  }
}

interface Booted {
  readonly guest: Guest;
  readonly terminal: GuestTerminal;
  readonly mirror: MirrorServer;
  readonly suite: string;
}

/** Makes the image, once for each state of what makes it. @returns its name */
async function fillDebian(home: string): Promise<string> {
  const name = `${IMAGE}-${sourcesHash().slice(0, 8)}`;
  const images = listImages(home);
  if (images.some((image) => image.name === name && !('damage' in image))) return name;
  console.log('debian: the image is made, once');
  const image = await orMissing(buildDebianImage({ ...buildOptions(home), include: INCLUDE }));
  for (const other of images) if (other.name.startsWith(`${IMAGE}-`)) removeImage(home, other.name);
  addImage(home, name, image);
  return name;
}

/** Of the sources of what is in an image beside Debian's packages. */
function sourcesHash(): string {
  const texts = ['build', 'guest'].flatMap((folder) => {
    const path = join(SOURCES_OF_IMAGES, folder);
    const names = readdirSync(path).filter((name) => !name.endsWith('.test.ts'));
    return names.toSorted().map((name) => readFileSync(join(path, name), 'utf8'));
  });
  return sha256Hex(Buffer.from([...INCLUDE, ...texts].join('\0')));
}

function sumOfSquares(count: number): string {
  let sum = 0;
  for (let n = 1; n < count; n++) sum += 1 / (n * n);
  return sum.toFixed(12);
}

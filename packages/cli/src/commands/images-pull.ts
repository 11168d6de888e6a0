import { join } from 'node:path';
import { HostError } from '@polyvisor/errors/host-error';
import { buildDebianImage } from '@polyvisor/images/build/debian-system';
import type { DebianSystemOptions } from '@polyvisor/images/build/debian-system';
import { buildMicroImage } from '@polyvisor/images/build/micro-image';
import { addImage, checkFree } from '@polyvisor/images/image-store';
import type { NewImage } from '@polyvisor/images/image-store';
import { required } from '../command.ts';
import type { CommandCall } from '../command.ts';
import { homeDirectory } from '@polyvisor/host/home-directory';
import { printMade } from '../print-images.ts';

/** What can be pulled, by name. */
const builders: Readonly<Record<string, (options: DebianSystemOptions) => Promise<NewImage>>> = {
  linux: buildMicroImage,
  debian: buildDebianImage,
};

export async function run(call: CommandCall): Promise<void> {
  const { terminal, options, signal } = call;
  const what = required(call, 0);
  const build = Object.hasOwn(builders, what) ? builders[what] : undefined;
  if (!build) {
    const names = Object.keys(builders).join(', ');
    throw new HostError(
      'no-image',
      `there is nothing to pull by the name ${what}`,
      `it is one of ${names}`,
    );
  }
  const { mirror, suite, include, keyring, name = what } = options as PullOptions;
  if (include && build !== buildDebianImage) {
    throw new HostError(
      'bad-option',
      `${what} has no packages to include`,
      'debian has: polyvisor images pull debian',
    );
  }
  const home = homeDirectory();
  const isReplacing = options['replace'] === true;
  checkFree(home, name, { isReplacing });
  const image = await build({
    cacheDirectory: join(home, 'cache'),
    ...(mirror === undefined ? {} : { mirror }),
    ...(suite === undefined ? {} : { suite }),
    ...(include ? { include } : {}),
    ...(keyring === undefined ? {} : { trust: { kind: 'keyrings', keyrings: [keyring] } }),
    ...(signal ? { signal } : {}),
    // Programs read standard error for what went wrong alone.
    ...(options['json'] === true ? {} : { onProgress: (doing) => terminal.warn(doing) }),
  });
  printMade(call, addImage(home, name, image, { isReplacing }));
}

interface PullOptions {
  readonly mirror?: string;
  readonly suite?: string;
  readonly include?: readonly string[];
  readonly keyring?: string;
  readonly name?: string;
}

import { createHost } from '@polyvisor/host/host';

/**
 * A host with one computer, to be killed: `node disk-host.ts <data directory> <kernel> <initrd> <disk>`. Its own
 * standard streams are the computer's console.
 */
const [dataDirectory, kernel, initrd, file] = process.argv.slice(2) as string[];
const host = await createHost({ dataDirectory: dataDirectory! });
const guest =
  host.guests.get('box') ??
  (await host.create({
    kind: 'linux',
    name: 'box',
    options: {
      kernel: kernel!,
      initrd: initrd!,
      commandLine: 'console=ttyS0 quiet',
      ram: '256MiB',
      disks: [{ file: file! }],
    },
  }));
process.stdout.write(guest.console.recent());
guest.console.on((bytes) => process.stdout.write(bytes));
process.stdin.on('data', (bytes: Buffer) => guest.console.write(bytes));
host.on((event) => {
  if (event.kind === 'guest-state') console.log(`HOST: the guest is ${event.state}`);
});

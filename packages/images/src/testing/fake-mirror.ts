import { gzipSync } from 'node:zlib';
import { utf8ToBytes } from '@polyvisor/bytes/bytes';
import type { FetchDoor } from '../fetch-door.ts';
import { sha256Hex } from '../file-cache.ts';
import { makeDeb } from './make-deb.ts';
import type { MadeDeb } from './make-deb.ts';

export const FAKE_MIRROR = 'http://mirror.test/debian';

export interface FakePackage extends Omit<MadeDeb, 'control'> {
  readonly name: string;
  readonly version?: string;
  /** More lines of the control file: `Depends: …`. */
  readonly fields?: string;
}

/** A mirror of trixie for riscv64, in memory. */
export class FakeMirror implements FetchDoor {
  readonly files = new Map<string, Uint8Array>();
  readonly asked: string[] = [];

  async get(address: string): Promise<Uint8Array | undefined> {
    this.asked.push(address);
    return await Promise.resolve(this.files.get(address));
  }

  /** Puts a release and its packages under a name. */
  publish(suite: string, packages: readonly FakePackage[], codename = 'trixie'): void {
    const paragraphs = packages.map(({ name, version = '1', fields = '', ...content }) => {
      const about = `Package: ${name}\nVersion: ${version}\nArchitecture: riscv64\n${fields}`;
      const bytes = makeDeb({ ...content, control: about });
      this.files.set(`${FAKE_MIRROR}/pool/${name}.deb`, bytes);
      const place = `Filename: pool/${name}.deb\n`;
      return `${about}${place}Size: ${bytes.length}\nSHA256: ${sha256Hex(bytes)}\n`;
    });
    const index = gzipSync(paragraphs.join('\n'));
    const place = `${FAKE_MIRROR}/dists/${suite}`;
    this.files.set(`${place}/main/binary-riscv64/Packages.gz`, index);
    const release =
      `Suite: stable\nCodename: ${codename}\nVersion: 13.7\nComponents: main\n` +
      `Architectures: riscv64\nSHA256:\n` +
      ` ${sha256Hex(index)} ${index.length} main/binary-riscv64/Packages.gz\n`;
    this.files.set(`${place}/InRelease`, utf8ToBytes(release));
  }
}

const KERNEL = '6.12.0-riscv64';
const MODULES = `usr/lib/modules/${KERNEL}`;

/** A module as `collectModules` reads it. */
export function fakeModule(name: string, ...depends: readonly string[]): string {
  return `${name}\0license=GPL\0depends=${depends.join(',')}\0name=${name}\0`;
}

/** What a guest needs: a kernel with the drivers of a board's devices, and busybox. */
export const guestPackages: readonly FakePackage[] = [
  { name: 'linux-image-riscv64', fields: `Depends: linux-image-${KERNEL} (= 1)\n`, files: {} },
  {
    name: `linux-image-${KERNEL}`,
    files: {
      [`boot/vmlinux-${KERNEL}`]: 'kernel',
      [`${MODULES}/kernel/net/virtio_net.ko`]: fakeModule('virtio_net', 'net_failover', 'virtio'),
      [`${MODULES}/kernel/net/net_failover.ko`]: fakeModule('net_failover', 'failover'),
      [`${MODULES}/kernel/net/failover.ko`]: fakeModule('failover'),
      [`${MODULES}/kernel/virtio_blk.ko`]: fakeModule('virtio_blk'),
      [`${MODULES}/kernel/fs/ext4/ext4.ko`]: fakeModule('ext4', 'jbd2'),
      [`${MODULES}/kernel/crypto/crc32c_generic.ko`]: fakeModule('crc32c_generic'),
      [`${MODULES}/kernel/fs/jbd2/jbd2.ko`]: fakeModule('jbd2'),
      [`${MODULES}/kernel/virtio-rng.ko`]: fakeModule('virtio_rng'),
      [`${MODULES}/kernel/virtio_balloon.ko`]: fakeModule('virtio_balloon'),
      [`${MODULES}/modules.builtin`]: 'kernel/virtio.ko\nkernel/vmw_vsock_virtio_transport.ko\n',
    },
  },
  { name: 'busybox-static', version: '1:1.37', files: { 'usr/bin/busybox': 'busybox' } },
];

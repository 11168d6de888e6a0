import type { ImageFormat } from '@polyvisor/disk/image';
import type { Size } from '../../sizes.ts';

/** What a computer is asked for with. Plain JSON. */
export interface LinuxOptions {
  /** File of an uncompressed Linux `Image` for RISC-V. Default: the image's. */
  readonly kernel?: string;
  /** File of an initial RAM disk: a cpio archive, compressed with anything that the kernel knows. */
  readonly initrd?: string;
  /** Name of an image (`polyvisor images ls`) that it boots. Default: `linux`, or none where there is a `kernel`. */
  readonly image?: string;
  /** What the kernel is told. Default: the image's, or `console=ttyS0`. */
  readonly commandLine?: string;
  /** 16 MiB to 4 GiB less 64 KiB, rounded up to 64 KiB. Default 512 MiB. */
  readonly ram?: Size;
  /**
   * Disks, `/dev/vda` first. What the guest writes is kept in the host's data directory, or in memory where it has
   * none; files of the host stay as they are.
   */
  readonly disks?: readonly DiskOptions[];
  /**
   * Folders of the host, which the guest mounts by their tags: `mount -t virtiofs share0 /mnt`. A host that runs
   * Linux has them. A guest with some has no snapshots and no forks.
   */
  readonly shares?: readonly ShareOptions[];
  /** Ports of the host that lead to the guest's, as `8080:80` or `127.0.0.1:8080:80`; 0: any free one. */
  readonly forwards?: readonly string[];
}

export interface DiskOptions {
  /** The image below it. Without one, the disk is blank. */
  readonly file?: string;
  /** Default: `qcow2` for a file whose name ends so, else `raw`. */
  readonly format?: ImageFormat;
  /** 4 KiB to 16 TiB, rounded up to 4 KiB. Default: that of the image, which can't be larger. */
  readonly size?: Size;
  readonly readOnly?: boolean;
}

export interface ShareOptions {
  /** The folder. */
  readonly path: string;
  /** What the guest mounts it by, 1 to 36 bytes. Default: `share0` for the first, `share1` for the second. */
  readonly tag?: string;
  /** Default: false, as with QEMU's virtio-fs: the guest writes to the folder itself. */
  readonly readOnly?: boolean;
}

export interface ResolvedShare {
  readonly path: string;
  readonly tag: string;
  readonly readOnly: boolean;
}

/** `file` or `bytes` is there. */
export interface ResolvedDisk {
  readonly file: string | undefined;
  readonly format: ImageFormat;
  readonly bytes: number | undefined;
  readonly readOnly: boolean;
}

/** Options with every default filled in and paths absolute: what a guest's database keeps. */
export interface ResolvedLinuxOptions {
  readonly kernel: string;
  readonly initrd: string | undefined;
  readonly image: string | undefined;
  /** A tree of files, as an archive, that is the root over virtio-fs. */
  readonly root: string | undefined;
  readonly commandLine: string;
  readonly ramBytes: number;
  readonly disks: readonly ResolvedDisk[];
  readonly forwards: readonly Forward[];
  /** Guests that were kept before there were any lack it. */
  readonly shares?: readonly ResolvedShare[];
}

/** A port of the host that leads to one of the guest's. */
export interface Forward {
  readonly bind: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

import type { Size } from '../../sizes.ts';

/** What a computer is asked for with. Plain JSON. */
export interface LinuxOptions {
  /** File of an uncompressed Linux `Image` for RISC-V. Default: the image's. */
  readonly kernel?: string;
  /** File of an initial RAM disk: a cpio archive, compressed with anything that the kernel knows. */
  readonly initrd?: string;
  /** Name of an image (`polyvisor images ls`) that it boots. Default: none, then `kernel` is needed. */
  readonly image?: string;
  /** What the kernel is told. Default: the image's, or `console=ttyS0`. */
  readonly commandLine?: string;
  /** 16 MiB to 4 GiB less 64 KiB, rounded up to 64 KiB. Default 512 MiB. */
  readonly ram?: Size;
  /** Disks of the host's files, `/dev/vda` first; what the guest writes stays in memory, the files are as they were. */
  readonly disks?: readonly DiskOptions[];
  /** Ports of the host that lead to the guest's, as `8080:80` or `127.0.0.1:8080:80`; 0: any free one. */
  readonly forwards?: readonly string[];
}

export interface DiskOptions {
  readonly file: string;
  /** Default: `qcow2` for a file whose name ends so, else `raw`. */
  readonly format?: 'raw' | 'qcow2';
  readonly readOnly?: boolean;
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
  readonly disks: readonly Required<DiskOptions>[];
  readonly forwards: readonly Forward[];
}

/** A port of the host that leads to one of the guest's. */
export interface Forward {
  readonly bind: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** What a Linux guest has for programs in the same process. */
export interface LinuxFaces {
  readonly shell: LinuxShell;
}

/** Commands in a guest whose image has the agent. */
export interface LinuxShell {
  /** Resolves once the guest's agent answers. */
  ready(): Promise<void>;
  /**
   * Runs a command to its end.
   * @param words the program and its arguments, as they are: no shell looks at them
   */
  run(words: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Makes a file, or replaces what is in it. */
  writeFile(path: string, content: Uint8Array | string): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;
}

export interface RunOptions {
  readonly stdin?: Uint8Array | string;
  /** Default: `/`. */
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Is given output as it comes; it is in the result all the same, unless there is too much of it. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;
}

export interface CommandResult {
  /** 0 to 255; 128 and a signal's number where one ended it. */
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

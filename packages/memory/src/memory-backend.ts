/** How snapshots and forks of memories are made. */
export type BackendName = 'mmap-node' | 'mmap-koffi' | 'copy';

export interface AdoptOptions {
  readonly image: MemoryImage | undefined;
  /** See `MemoryOptions`. */
  readonly loosePagesMax: number;
}

export interface MemoryBackend {
  readonly name: BackendName;
  /**
   * Takes charge of a fresh memory, all zeros, and gives it the contents of an image of the same length.
   * @throws HostError `memory-map` where the operating system refuses
   */
  adopt(memory: WebAssembly.Memory, options: AdoptOptions): BackedMemory;
}

/** Immutable contents of a memory. It lives as long as somebody holds it. */
export interface MemoryImage {
  readonly byteLength: number;
  /** The bytes of a 64 KiB chunk, not to be changed; undefined where they are all zero. */
  chunk(index: number): Uint8Array | undefined;
  hold(): this;
  release(): void;
}

/** A memory and the image that it started from or last became: its base, at first all zeros. */
export interface BackedMemory {
  /** The present contents, which become the base. The caller holds the image. */
  capture(): MemoryImage;
  /** The caller holds the image. */
  base(): MemoryImage;
  isBase(image: MemoryImage): boolean;
  /** Gives the memory its base's contents again. Its length is the base's. */
  reset(): void;
  /** Ascending numbers of the pages that may differ from the base: none that differs is missing. */
  dirtyPages(): Uint32Array;
  baseByteLength(): number;
  /** Lets go of the base; the memory's contents are undefined from here on. */
  release(): void;
}

import type { FileDoor } from '../file-door.ts';

/** What the power takes with it: thrown by the request during which it went. */
export class PowerLoss extends Error {}

/** Counts requests that change files, over all files of one machine, and cuts the power at one of them. */
export class Power {
  #left: number;
  /** @param requests how many are carried out before it goes */
  constructor(requests: number) {
    this.#left = requests;
  }

  use(): void {
    if (this.#left-- <= 0) throw new PowerLoss('the power is gone');
  }
}

interface Write {
  readonly offset: number;
  /** A number is a resize, to so many bytes. */
  readonly change: Uint8Array | number;
}

const SECTOR_BYTES = 512;

/**
 * A file of which, when the power goes, remains what was synced, and of what came after it any part: some writes,
 * in any order, whole or some of their sectors.
 */
export class CrashingFile implements FileDoor {
  readonly #power: Power;
  #durable: Uint8Array;
  #now: Uint8Array;
  #unsynced: Write[] = [];

  constructor(power: Power, content: Uint8Array) {
    this.#power = power;
    this.#durable = content;
    this.#now = content;
  }

  get bytes(): number {
    return this.#now.length;
  }

  read(offset: number, into: Uint8Array): void {
    const found = this.#now.subarray(offset, offset + into.length);
    into.set(found);
    into.fill(0, found.length);
  }

  write(offset: number, from: Uint8Array): void {
    this.#change({ offset, change: from.slice() });
  }

  resize(bytes: number): void {
    this.#change({ offset: 0, change: bytes });
  }

  sync(): void {
    this.#power.use();
    this.#durable = this.#now;
    this.#unsynced = [];
  }

  close(): void {}

  /** @param random values in [0, 1) */
  afterCrash(random: () => number): Uint8Array {
    let content = this.#durable;
    for (const write of this.#unsynced) {
      if (random() < 0.3) continue;
      if (typeof write.change === 'number' || random() < 0.5) content = applied(content, write);
      else content = someSectors(content, write.offset, write.change, random);
    }
    return content;
  }

  #change(write: Write): void {
    this.#unsynced.push(write);
    this.#power.use();
    this.#now = applied(this.#now, write);
  }
}

function applied(content: Uint8Array, { offset, change }: Write): Uint8Array {
  const isResize = typeof change === 'number';
  const length = isResize ? change : Math.max(content.length, offset + change.length);
  const out = new Uint8Array(length);
  out.set(content.subarray(0, length));
  if (!isResize) out.set(change, offset);
  return out;
}

function someSectors(
  content: Uint8Array,
  offset: number,
  change: Uint8Array,
  random: () => number,
): Uint8Array {
  let out = content;
  for (let at = 0; at < change.length; at += SECTOR_BYTES) {
    const part = change.subarray(at, at + SECTOR_BYTES);
    if (random() < 0.5) out = applied(out, { offset: offset + at, change: part });
  }
  return out;
}

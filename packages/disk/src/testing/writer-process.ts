import { writeSync } from 'node:fs';
import { openNodeStore } from '../node-store.ts';
import { blockOf, BLOCK_COUNT } from './writer-pattern.ts';

/** Writes rounds to a disk until it is killed; says which one after each flush. */
const [directory, firstRound] = process.argv.slice(2);
const store = openNodeStore(directory!, { journalBytesMin: 20_000 });
const bytes = BLOCK_COUNT * store.blockBytes;
const disk = store.list().length > 0 ? store.open('disk') : store.create('disk', { bytes });
for (let round = Number(firstRound); ; round++) {
  for (let block = 0; block < BLOCK_COUNT; block++) {
    disk.write(block * store.blockBytes, blockOf(round, block, store.blockBytes));
  }
  disk.flush();
  writeSync(1, `${round}\n`);
}

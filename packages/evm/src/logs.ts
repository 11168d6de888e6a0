import { LOG_ADDRESS, LOG_HEADER_SIZE } from './layout.ts';
import type { Log } from './world.ts';

/** Reads log records as the engine writes them, one behind the other. */
export function decodeLogs(records: Uint8Array): Log[] {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  const logs: Log[] = [];
  for (let at = 0; at < records.length;) {
    const size = view.getUint32(at, true);
    const topicCount = view.getUint32(at + 4, true);
    const topics: Uint8Array[] = [];
    for (let i = 0; i < topicCount; i++) {
      topics.push(reversed(records, at + LOG_HEADER_SIZE + 32 * i, 32));
    }
    const data = at + LOG_HEADER_SIZE + 32 * topicCount;
    logs.push({
      address: reversed(records, at + LOG_ADDRESS, 20),
      topics,
      data: records.slice(data, data + size),
    });
    at = (data + size + 7) & -8;
  }
  return logs;
}

/** A little-endian word's low bytes, big-endian. */
function reversed(bytes: Uint8Array, at: number, size: number): Uint8Array {
  return bytes.subarray(at, at + size).toReversed();
}

import type { SendQueue } from '@polyvisor/net/tcp/send-queue';

/** Bytes that a device is offered at once. */
const PIECE_BYTES = 65_536;

/** Gives what waits in a queue to a device, as it has room. @param receive takes some of the bytes and says how many */
export function feed(queue: SendQueue, receive: (bytes: Uint8Array) => number): void {
  while (queue.length > 0) {
    const piece = queue.peek(0, Math.min(queue.length, PIECE_BYTES));
    const taken = receive(piece);
    queue.drop(taken);
    if (taken < piece.length) return;
  }
}

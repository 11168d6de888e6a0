/** Bytes that one request types. */
const PIECE_BYTES = 65_536;
/** How long it waits where the guest has no room for more. */
const RETRY_MS = 50;

/** Sends what is typed in its order, one request at a time. */
export function typist(
  send: (bytes: Uint8Array) => Promise<number>,
  onFailure: (error: unknown) => void,
): (bytes: Uint8Array) => void {
  let waiting = new Uint8Array(0);
  let isSending = false;
  const sendAll = async (): Promise<void> => {
    isSending = true;
    try {
      while (waiting.length > 0) {
        const taken = await send(waiting.slice(0, PIECE_BYTES));
        waiting = waiting.slice(taken);
        if (taken === 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    } catch (error) {
      waiting = new Uint8Array(0);
      onFailure(error);
    }
    isSending = false;
  };
  return (bytes) => {
    const all = new Uint8Array(waiting.length + bytes.length);
    all.set(waiting);
    all.set(bytes, waiting.length);
    waiting = all;
    if (!isSending) void sendAll();
  };
}

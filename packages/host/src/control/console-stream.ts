import type { Guest } from '../guest.ts';
import { onGuestEnd } from '../guest-end.ts';
import type { Host } from '../host.ts';
import type { Stream } from './route.ts';

/** What a guest's terminal said; if that is followed, what it says from now on too, until the guest ends. */
export function streamConsole(host: Host, guest: Guest, isFollowed: boolean): Stream {
  const { console } = guest;
  return (send, finish) => {
    const sendBytes = (bytes: Uint8Array): void =>
      send({ data: Buffer.from(bytes).toString('base64') });
    sendBytes(console.recent());
    if (!isFollowed) return undefined;
    const endOutput = console.on(sendBytes);
    const endEvents = onGuestEnd(host, guest, finish);
    return () => {
      endOutput();
      endEvents();
    };
  };
}

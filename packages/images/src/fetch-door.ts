import { HostError } from '@polyvisor/errors/host-error';

/** How files come from a mirror. */
export interface FetchDoor {
  /**
   * @returns undefined when there is no such file
   * @throws HostError `fetch-failed`, also for a file of more than `bytesMax`
   */
  get(address: string, bytesMax: number, signal?: AbortSignal): Promise<Uint8Array | undefined>;
}

/** Through `fetch`. */
export const httpDoor: FetchDoor = {
  async get(address, bytesMax, signal) {
    try {
      const response = await fetch(address, signal ? { signal } : {});
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of response.body) {
        length += part.length;
        if (length > bytesMax) throw new Error(`more than ${bytesMax} bytes`);
        parts.push(part);
      }
      return Buffer.concat(parts);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new HostError('fetch-failed', `${address}: ${String(error)}`, undefined, {
        cause: error,
      });
    }
  },
};

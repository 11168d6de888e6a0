import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostError } from '@polyvisor/errors/host-error';
import type { Repository } from '@polyvisor/images/debian/repository';

/** A mirror of Debian on this machine. */
export interface MirrorServer extends AsyncDisposable {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Paths that were asked for and given, in order. */
  readonly given: readonly string[];
}

const BY_HASH = /\/by-hash\/SHA256\/([\da-f]{64})$/;

/**
 * Serves what a guest's apt asks for out of a repository, whose files are checked and cached on the way.
 * @param inRelease the release as it was signed
 */
export async function serveMirror(
  repository: Repository,
  inRelease: Uint8Array,
): Promise<MirrorServer> {
  const given: string[] = [];
  const releaseAt = `/dists/${repository.suite}/`;
  const find = async (path: string): Promise<Uint8Array | undefined> => {
    if (path === `${releaseAt}InRelease`) return inRelease;
    if (path.startsWith(releaseAt)) {
      const name = indexOf(repository, path.slice(releaseAt.length));
      return name === undefined ? undefined : await repository.downloadIndex(name);
    }
    const info = repository.packages.find(({ fileName }) => `/${fileName}` === path);
    return info && (await repository.download(info));
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(request.url ?? '');
    try {
      const bytes = await find(path);
      if (bytes) given.push(path);
      response.writeHead(bytes ? 200 : 404, { 'content-length': bytes?.length ?? 0 }).end(bytes);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      response.writeHead(502).end(error.message);
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    given,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The path by which a release knows one of its files, which may be asked for by its hash. */
function indexOf({ release }: Repository, path: string): string | undefined {
  const hash = BY_HASH.exec(path)?.[1];
  if (hash === undefined) return release.files.has(path) ? path : undefined;
  return [...release.files].find(([, { sha256 }]) => sha256 === hash)?.[0];
}

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { platform } from 'node:os';
import { basename, dirname, resolve } from 'node:path';

export type SystemLock =
  /** Nobody else who shares the network namespace gets this lock until it is released. */
  | { readonly kind: 'held'; readonly release: () => Promise<void> }
  | { readonly kind: 'busy' }
  /** There is no such lock here. */
  | { readonly kind: 'unsupported' };

/** Where the names of sockets begin that are not files. */
const PREFIXES: Partial<Record<NodeJS.Platform, string>> = {
  linux: '\0oauthctl-',
  win32: '\\\\.\\pipe\\oauthctl-',
};

/**
 * Tries to take a lock that the system releases when the process ends, however it ends. Node has no flock(2), and the
 * libraries that offer it have to be compiled. A listening socket has the same property: on Linux one in the abstract
 * namespace, on Windows a named pipe. Both leave nothing on the disk. Other platforms have none.
 * @param path of what is locked; its folder is identified by its inode, so that links to it do not matter
 */
export async function trySystemLock(path: string): Promise<SystemLock> {
  const prefix = PREFIXES[platform()];
  if (prefix === undefined) return { kind: 'unsupported' };
  const name = `${prefix}${await hashPath(path)}`;
  const server = createServer((socket) => socket.destroy());
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
    server.once('error', settle);
    server.listen({ path: name, exclusive: true }, () => settle(undefined));
  });
  if (failure?.code === 'EADDRINUSE') return { kind: 'busy' };
  // A sandbox can forbid such sockets.
  if (failure !== undefined) return { kind: 'unsupported' };
  server.unref();
  return { kind: 'held', release: () => new Promise((settle) => server.close(() => settle())) };
}

async function hashPath(path: string): Promise<string> {
  const full = resolve(path);
  const folder = await stat(dirname(full), { bigint: true }).then(
    ({ dev, ino }) => `${dev} ${ino}`,
    () => dirname(full),
  );
  return createHash('sha256')
    .update(`${folder} ${basename(full)}`)
    .digest('hex')
    .slice(0, 32);
}

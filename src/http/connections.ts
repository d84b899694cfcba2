import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** The connections of one exchange. They are closed with it, including those that are not established yet. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  #tlsFailure: Error | undefined;

  /**
   * A TLS error on an established connection: in TLS 1.3 a server checks the client certificate only then, and undici
   * itself reports only that the connection was closed.
   */
  get tlsFailure(): Error | undefined {
    return this.#tlsFailure;
  }

  /** Wraps a connector of undici, to know its connections. */
  through(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      const socket: unknown = connector(options, (...[error, connected]) => {
        // undici retries endlessly after some errors; a wrapped error is final.
        if (!connected) return callback(new Error('no connection', { cause: error }), null);
        connected.on('error', (failure: NodeJS.ErrnoException) => {
          if (!failure.code?.startsWith('ERR_SSL')) return;
          this.#tlsFailure ??= failure;
          // The server may never close its side.
          connected.destroy();
        });
        callback(null, connected);
      });
      if (socket instanceof Socket) this.#sockets.add(socket);
    };
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

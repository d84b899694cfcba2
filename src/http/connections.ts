import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** The connections of one exchange: they end with it, even those that are still being made. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  #tlsFailure: Error | undefined;

  /**
   * What TLS said of a connection that had been made: since TLS 1.3 a server judges the client's certificate only
   * then, and undici itself reports no more than that the connection ended.
   */
  get tlsFailure(): Error | undefined {
    return this.#tlsFailure;
  }

  /** Wraps a connector of undici, so that what it connects is known here. */
  through(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      const socket: unknown = connector(options, (...[error, connected]) => {
        // undici tries again without end after some errors; wrapped, each is final.
        if (!connected) return callback(new Error('no connection', { cause: error }), null);
        connected.on('error', (failure: NodeJS.ErrnoException) => {
          if (!failure.code?.startsWith('ERR_SSL')) return;
          this.#tlsFailure ??= failure;
          // Nothing more will be understood; the other side may never end its own.
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

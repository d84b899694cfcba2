import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** The connections of one exchange: they end with it, even those that are still being made. */
export class Connections {
  readonly #sockets = new Set<Socket>();

  /** Wraps a connector of undici, so that what it connects is known here. */
  through(connector: buildConnector.connector): buildConnector.connector {
    return (options, callback) => {
      const socket: unknown = connector(options, (...[error, connected]) => {
        if (connected) callback(null, connected);
        // undici tries again without end after some errors; wrapped, each is final.
        else callback(new Error('no connection', { cause: error }), null);
      });
      if (socket instanceof Socket) this.#sockets.add(socket);
    };
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

import type { Command } from 'commander';
import { discover } from '../../flows/server/discover.ts';
import type { Target } from '../../flows/server/target.ts';
import { resolveDpop } from '../../session/dpop.ts';
import { parseParameters } from '../../session/option-values.ts';
import type { Session } from '../../session/session.ts';
import { type ReadDeviceOptions, readDeviceOptions } from './options.ts';

/** Short enough to see all ten steps in a few seconds, long enough to see that polls keep to it. */
const INTERVAL = 2;

/** The sandbox that `ciba start` brings along where no server is configured. */
export interface OwnSandbox {
  readonly user: string;
  readonly device: ReadDeviceOptions & { readonly onListening: (url: string) => void };
  connect(): Promise<Target>;
  close(): Promise<void>;
}

/** Starts the built-in server and readies the device for it, on free ports; nothing of it is kept on disk. */
export async function startOwnSandbox(session: Session, command: Command): Promise<OwnSandbox> {
  const { ctx } = session;
  const device = readDeviceOptions(session, command, 'approve');
  const nobodyDecides = device.rule === 'approve' && command.opts<{ approve?: true }>().approve !== true;
  const { startSandbox } = await import('../../sandbox/index.ts');
  const sandbox = await startSandbox({ interval: INTERVAL });
  ctx.redactor.know(sandbox.clientSecret);
  return {
    user: sandbox.users[0] ?? '',
    device: {
      ...device,
      listen: { host: '127.0.0.1', port: 0, path: device.listen.path },
      // So that "pending" is seen as well, and all ten steps.
      after: nobodyDecides ? 'pending' : device.after,
      onListening: (url) => sandbox.setDevice(url),
    },
    async connect() {
      const { metadata } = await discover(ctx, { issuer: sandbox.issuer });
      return {
        metadata,
        client: {
          client_id: sandbox.clientId,
          client_secret: sandbox.clientSecret,
          token_endpoint_auth_method: 'client_secret_basic',
        },
        ...(await resolveDpop(session, metadata)),
        extraParameters: parseParameters(session.globals.param ?? []),
        omittedParameters: session.globals.omit,
        owner: undefined,
        keepTokens: false,
      };
    },
    close: () => sandbox.close(),
  };
}

import { discover } from '../flows/server/discover.ts';
import type { Target } from '../flows/server/target.ts';
import { withMtlsEndpointAliases } from '../protocol/oauth/metadata.ts';
import { readDecryptionKeys, resolveClient } from './client.ts';
import { resolveDpop } from './dpop.ts';
import { parseParameters, parseSeconds } from './option-values.ts';
import { type Session, storageName } from './session.ts';

/**
 * Discovers the server and resolves the client.
 * @throws UsageError where something is not configured; as discover
 */
export async function connect(session: Session, { keepTokens } = { keepTokens: true }): Promise<Target> {
  const { ctx, settings } = session;
  const issuer = settings.require('issuer', 'the authorization server');
  const client = await resolveClient(session);
  const decryptionKeys = await readDecryptionKeys(session);
  const { metadata } = await discover(ctx, { issuer, acceptIssuer: settings.get('acceptIssuer') });
  return {
    // Whatever the client authentication: tokens are bound to the certificate by the connection alone.
    metadata: settings.get('cert') === undefined ? metadata : withMtlsEndpointAliases(metadata),
    client,
    idTokenAlg: settings.get('idTokenAlg'),
    trustedAudiences: settings
      .get('trustAudience')
      ?.split(/[\s,]+/)
      .filter(Boolean),
    leeway: parseSeconds(settings.get('leeway'), '--leeway', { mayBeZero: true }),
    decryptionKeys,
    ...(await resolveDpop(session, metadata)),
    extraParameters: parseParameters(session.globals.param ?? []),
    omittedParameters: session.globals.omit,
    keepTokens,
    owner: storageName(session),
  };
}

import type { Target } from '../flows/server/target.ts';
import { findEndpoint, withMtlsEndpointAliases } from '../protocol/oauth/metadata.ts';
import { requireTlsForCertificate } from './certificate.ts';
import { readDecryptionKeys, resolveClient } from './client.ts';
import { resolveDpop } from './dpop.ts';
import { requireIssuer } from './issuer.ts';
import { resolveMetadata } from './metadata.ts';
import { parseParameters, parseSeconds } from './option-values.ts';

import { type Session, storageName } from './session.ts';

export interface ConnectOptions {
  /** Whether requested tokens are kept; the default is true. */
  readonly keepTokens?: boolean;
  /** Who gets the client certificate; the default is the authorization server. */
  readonly certificateFor?: 'server' | 'broker';
}

/**
 * Discovers the server and resolves the client.
 * @throws UsageError if a setting is missing; as discover
 */
export async function connect(
  session: Session,
  { keepTokens = true, certificateFor = 'server' }: ConnectOptions = {},
): Promise<Target> {
  const { settings } = session;
  requireIssuer(settings);
  const client = await resolveClient(session);
  const decryptionKeys = await readDecryptionKeys(session);
  const published = await resolveMetadata(session);
  // With every client authentication method: the server binds tokens to the certificate of the connection.
  const metadata = settings.get('cert') === undefined ? published : withMtlsEndpointAliases(published);
  if (certificateFor === 'server')
    requireTlsForCertificate(session, findEndpoint(metadata, 'token_endpoint') ?? metadata.issuer);
  return {
    metadata,
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

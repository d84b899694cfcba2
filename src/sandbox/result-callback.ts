import type { IncomingHttpHeaders } from 'node:http';
import { jwtVerify } from 'jose';
import type { Provider } from 'oidc-provider/lib/provider.js';
import { parseJson } from '../exact-json.ts';
import { AUTHENTICATION_REQUEST, DELEGATION, type SandboxParts, type StoredDelegation } from './parts.ts';
import { SandboxRefusal } from './refusal.ts';

type Result = 'SUCCEED' | 'UNAUTHORIZED' | 'CANCELLED';

const RESULTS: readonly string[] = ['SUCCEED', 'UNAUTHORIZED', 'CANCELLED'] satisfies Result[];

/**
 * Accepts the result from the authentication device, as Keycloak's callback does.
 *
 * A bearer is valid for one result. A second one destroys the whole transaction, also where the first was accepted.
 *
 * @param headers `authorization` with the bearer of the delegation, `content-type` application/json
 * @param body JSON with `status`
 * @throws Refusal 401 without a bearer, 403 for one that names no open delegation, 400 without a known status, 415 for
 *   another media type
 */
export async function acceptResult(
  provider: Provider,
  parts: SandboxParts,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<void> {
  const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== undefined && mediaType !== 'application/json') {
    throw new SandboxRefusal(415, 'invalid_request', 'the result has to be application/json');
  }
  const jti = await verifyBearer(parts, headers.authorization);
  const delegation = parts.store.get(DELEGATION, jti) as StoredDelegation | undefined;
  if (delegation === undefined) {
    throw invalidToken(403);
  }
  if (delegation.answered) {
    parts.store.take(DELEGATION, jti);
    parts.store.take(AUTHENTICATION_REQUEST, delegation.authReqId);
    throw invalidToken(403);
  }
  const result = parseResult(body);
  delegation.answered = true;
  await settle(provider, delegation.authReqId, result);
  if (parts.store.get(DELEGATION, jti) === undefined) {
    // A second result came meanwhile; saving the first one has brought the transaction back.
    parts.store.take(AUTHENTICATION_REQUEST, delegation.authReqId);
  }
}

async function verifyBearer(parts: SandboxParts, authorization: string | undefined): Promise<string> {
  const bearer = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (bearer === undefined) {
    throw invalidToken(401);
  }
  try {
    const { payload } = await jwtVerify(bearer, parts.keys.publicKey, {
      issuer: parts.issuer,
      audience: parts.issuer,
      typ: 'JWT',
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'jti'],
    });
    return payload.jti as string;
  } catch {
    throw invalidToken(403);
  }
}

function parseResult(body: Buffer): Result {
  let status: unknown;
  try {
    ({ status } = parseJson(body.toString('utf8')) as { status?: unknown });
  } catch {
    // Falls through: what is not a JSON object has no status.
  }
  if (typeof status !== 'string' || !RESULTS.includes(status)) {
    throw new SandboxRefusal(400, 'invalid_request', 'Invalid authentication status');
  }
  return status as Result;
}

async function settle(provider: Provider, authReqId: string, result: Result): Promise<void> {
  const request = await provider.BackchannelAuthenticationRequest.find(authReqId);
  if (request === undefined) {
    throw invalidToken(403);
  }
  if (result !== 'SUCCEED') {
    await provider.backchannelResult(request, new SandboxRefusal(400, 'access_denied', 'not authorized'));
    return;
  }
  const grant = new provider.Grant({ accountId: request.accountId, clientId: request.clientId });
  grant.addOIDCScope(request.scope ?? '');
  await grant.save();
  await provider.backchannelResult(request, grant, { authTime: Math.floor(Date.now() / 1000) });
}

function invalidToken(status: 401 | 403): SandboxRefusal {
  return new SandboxRefusal(status, 'invalid_token', 'Invalid token');
}

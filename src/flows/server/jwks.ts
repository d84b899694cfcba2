import type { Context } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import { parseJson } from '../../exact-json.ts';
import type { KeySet } from '../../protocol/jose/key-set.ts';
import type { JwtKeys, JwtParties } from '../../protocol/jose/signed-jwt.ts';
import { buildForeignAnswer, classifyAnswer } from '../../protocol/oauth/answer.ts';
import { listedIn, requireEndpoint, type ServerMetadata } from '../../protocol/oauth/metadata.ts';
import type { Target } from './target.ts';

/**
 * Fetches the server's keys.
 * @throws NetworkError, RefusedError, ValidationError `endpoint_missing`
 * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
 */
export async function fetchJwks(ctx: Context, metadata: ServerMetadata): Promise<KeySet> {
  const url = requireEndpoint(metadata, 'jwks_uri');
  const answer = await (await ctx.http()).send({ method: 'GET', url, endpoint: 'jwks' }, ctx.signal);
  // jose takes its time to load.
  const { readKeySet } = await import('../../protocol/jose/key-set.ts');
  const isPem = answer.status === 200 && /^\s*-----BEGIN /.test(answer.body);
  if (isPem) return (await readKeySet([{ pem: answer.body }])) ?? { keys: [], passedOver: [] };
  const list = answer.status === 200 && /^\s*\[/.test(answer.body) ? readList(answer.body) : undefined;
  if (list !== undefined) return (await readKeySet(list)) ?? { keys: [], passedOver: [] };
  const classified = classifyAnswer(answer, 'jwks');
  if (classified.kind === 'refused') throw new RefusedError(classified.oauth);
  if (classified.kind === 'foreign') throw buildForeignAnswer(classified.reason, url);
  const found = await readKeySet(classified.json);
  if (found === undefined) throw buildForeignAnswer('JSON without a "keys" array', url);
  return found;
}

function readList(body: string): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/**
 * What a JWT that the server made for the client is verified by: keys, issuer, client and time.
 * @param listed the metadata's member that lists the algorithms of this kind of JWT
 * @throws as fetchJwks
 */
export async function prepareVerification(
  ctx: Context,
  { metadata, client, decryptionKeys, leeway }: Target,
  listed: string,
): Promise<JwtKeys & JwtParties> {
  return {
    issuer: metadata.issuer,
    client_id: client.client_id,
    client_secret: client.client_secret,
    jwks: await fetchJwks(ctx, metadata),
    supportedAlgs: listedIn(metadata, listed),
    decryptionKeys,
    now: ctx.clock.now(),
    leeway,
    onRepair: ctx.warn,
  };
}

import type { HttpAnswer } from '../../context.ts';
import { type Endpoint, RefusedError } from '../../errors.ts';
import { findGrant } from '../../protocol/definitions/grants/index.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import { parseJsonObject } from '../../protocol/json.ts';
import type { AuthenticateChallenge } from '../../protocol/oauth/challenge.ts';
import type { ParsedResourceMetadata } from '../../protocol/oauth/protected-resource.ts';
import {
  findStatusWord,
  readJsonRefusal,
  readOtherRefusal,
  type StatedRefusal,
} from '../../protocol/oauth/refusal-forms.ts';
import { recognizeProduct } from '../../protocol/oauth/server-product.ts';
import { readConfirmation } from '../../protocol/oauth/token-binding.ts';

/** What was sent to a resource, and what is known of it. */
export interface Presented {
  /** `own` are credentials that the person gave as a header; undefined where nothing was sent. */
  readonly scheme: 'Bearer' | 'DPoP' | 'own' | undefined;
  readonly accessToken: string | undefined;
  /** The key of the DPoP proof, where one was sent. */
  readonly jkt: string | undefined;
  /** Thumbprint of the client certificate in use. */
  readonly certificate: string | undefined;
  /** How the token was had, where that is known. */
  readonly grant?: { readonly grant_type: string; readonly scope: string | undefined } | undefined;
  /** What the resource says of itself, where it was linked and could be trusted. */
  readonly metadata: ParsedResourceMetadata | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Reads why a resource refused: in its challenge, else in its body, else by the status.
 * @param answer one of status 400 or more
 * @param endpoint a UserInfo endpoint is a resource as well
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
 */
export function buildResourceRefusal(
  answer: HttpAnswer,
  challenges: readonly AuthenticateChallenge[],
  presented: Presented,
  endpoint: Endpoint = 'resource',
): RefusedError {
  const { status } = answer;
  const ours = challenges.filter(({ scheme }) => /^(bearer|dpop)$/i.test(scheme));
  const ofScheme = ours.filter(({ scheme }) => scheme.toLowerCase() === presented.scheme?.toLowerCase());
  const said = [...ofScheme, ...ours].find(({ parameters }) => parameters.error)?.parameters;
  const stated = said?.error ? { ...said, error: said.error } : readBody(answer);
  const word = stated?.error;
  // Frameworks put the reason phrase there.
  const error = word === undefined || isReasonPhrase(word, status) ? findStatusWord(status) : word;
  const hint = hintFor(error, status, challenges, presented);
  return new RefusedError(
    {
      error,
      error_description: stated?.error_description || undefined,
      error_uri: stated?.error_uri || undefined,
      status,
      endpoint,
      retry_after: answer.headers['retry-after'],
      product: recognizeProduct(answer),
    },
    { hint },
  );
}

/** Reads a refusal in any form that is known; undefined for a page and for what cannot be read. */
function readBody(answer: HttpAnswer): StatedRefusal | undefined {
  const json = parseJsonObject(answer.body);
  return json === undefined ? readOtherRefusal(answer) : readJsonRefusal(json, answer.status);
}

function isReasonPhrase(word: string, status: number): boolean {
  return word.toLowerCase().replaceAll(' ', '_') === findStatusWord(status);
}

/** What is known here and the server does not say; undefined leaves it to the table of known answers. */
function hintFor(
  error: string,
  status: number,
  challenges: readonly AuthenticateChallenge[],
  presented: Presented,
): string | undefined {
  if (error === 'insufficient_scope') return scopeHint(challenges, presented);
  if (status !== 401 && error !== 'invalid_token') return undefined;
  if (presented.scheme === 'own') return undefined;
  if (presented.scheme === undefined) return missingTokenHint(challenges, presented);
  return (
    bindingHint(presented) ??
    expiryHint(presented) ??
    schemeHint(challenges, presented) ??
    issuerHint(presented)
  );
}

function scopeHint(
  challenges: readonly AuthenticateChallenge[],
  { grant, metadata }: Presented,
): string | undefined {
  const named = splitScope(challenges.find(({ parameters }) => parameters.scope)?.parameters.scope);
  if (named.length > 0) {
    const all = [...new Set([...splitScope(grant?.scope), ...named])];
    return `The resource wants the scope "${named.join(' ')}". Ask for it: oauthctl ${commandForGrant(grant?.grant_type)} --scope "${all.join(' ')}"`;
  }
  const supported = metadata?.scopes_supported?.join(' ');
  return (
    supported && `The resource does not say which scope it wants; it knows "${supported}". Ask with --scope.`
  );
}

/** Only scopes that mean nothing to a shell: the line is there to be copied. */
function splitScope(scope: string | undefined): string[] {
  return (scope ?? '').split(' ').filter((one) => /^[\w:./*+@~-]+$/.test(one));
}

function commandForGrant(grantType = ''): string {
  return findGrant(grantType)?.command ?? 'token …';
}

function missingTokenHint(challenges: readonly AuthenticateChallenge[], { metadata }: Presented): string {
  const servers = metadata?.authorization_servers?.join(', ');
  const schemes = challenges.map(({ scheme }) => scheme).join(', ');
  return [
    'No token was sent.',
    schemes && `The resource takes: ${schemes}.`,
    servers && `It trusts the authorization servers: ${servers}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** A bound token that is sent without its proof looks like a stolen one. */
function bindingHint({ scheme, accessToken, jkt: proven, certificate }: Presented): string | undefined {
  const { jkt, 'x5t#S256': thumbprint } = readConfirmation(accessToken);
  if (jkt !== undefined && scheme === 'Bearer') {
    return `The token is bound to the DPoP key ${jkt}, and was sent as a bearer token. Give that key with --dpop-key, and no --no-dpop.`;
  }
  if (jkt !== undefined && jkt !== proven) {
    return `The token is bound to the DPoP key ${jkt}, and the proof is by ${proven}. Leave --dpop-key out for the kept key, or name the right file.`;
  }
  if (thumbprint !== undefined && thumbprint !== certificate) {
    return `The token is bound to the client certificate ${thumbprint}. Give that one with --cert and --key.`;
  }
  return undefined;
}

function expiryHint({ accessToken, now }: Presented): string | undefined {
  const exp = decodeUnverified(accessToken ?? '')?.claims.exp;
  if (typeof exp !== 'number' || !(exp * 1000 <= now)) return undefined;
  return 'The token has expired. Request a new one; --refresh does so for the kept one.';
}

function schemeHint(challenges: readonly AuthenticateChallenge[], { scheme }: Presented): string | undefined {
  const schemes = challenges.map((one) => one.scheme);
  if (schemes.length === 0 || schemes.some((one) => one.toLowerCase() === scheme?.toLowerCase()))
    return undefined;
  return `The token was sent as ${scheme}, and the resource takes ${schemes.join(', ')}.`;
}

function issuerHint({ accessToken, metadata }: Presented): string | undefined {
  const servers = metadata?.authorization_servers;
  const iss = decodeUnverified(accessToken ?? '')?.claims.iss;
  if (servers === undefined || servers.length === 0) return undefined;
  if (typeof iss === 'string' && servers.includes(iss)) return undefined;
  return `The resource takes tokens of ${servers.join(', ')}${typeof iss === 'string' ? `, and this one is of ${iss}` : ''}.`;
}

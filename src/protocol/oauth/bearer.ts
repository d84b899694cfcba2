// Bearer tokens as a protected resource receives and answers them.

import type { JsonObject } from '../json.ts';

/** How a protected resource may validate a token. */
export const VALIDATIONS = ['local', 'introspection'] as const;

export type Validation = (typeof VALIDATIONS)[number];

/** The credentials of a request. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'unusable';
      readonly error: 'invalid_request' | 'invalid_token';
      readonly description: string;
    };

const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads the credentials of a request. A token is accepted in the Authorization header only, because queries are written to logs.
 * @param authorization every Authorization header of the request
 * @param query the encoded text after the question mark
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2
 */
export function parseCredentials(authorization: readonly string[], query: string): Credentials {
  const inQuery = new URLSearchParams(query).has('access_token');
  const [header, ...others] = authorization;
  if (others.length > 0) return unusable('invalid_request', 'the request has several Authorization headers');
  const [, scheme = '', token = ''] = /^([^\s]*)[ \t]*(.*)$/s.exec(header ?? '') ?? [];
  const isBearer = scheme.toLowerCase() === 'bearer';
  if (inQuery) {
    return unusable(
      'invalid_request',
      isBearer
        ? 'the token was sent in two places: Authorization header and query'
        : 'a token is accepted in the Authorization header only, not in the query',
    );
  }
  if (!isBearer) return { kind: 'none' };
  if (!TOKEN68.test(token)) return unusable('invalid_token', 'the Bearer token is malformed');
  return { kind: 'token', token };
}

function unusable(error: 'invalid_request' | 'invalid_token', description: string): Credentials {
  return { kind: 'unusable', error, description };
}

/** The verdict of a protected resource on a token. */
export type TokenVerdict =
  | {
      readonly outcome: 'accepted';
      readonly tenant: string;
      readonly validation: Validation;
      readonly claims: JsonObject;
    }
  | {
      readonly outcome: 'invalid_token';
      /** Undefined if the token is of no configured tenant. */
      readonly tenant?: string;
      /** A stable code in snake_case. */
      readonly reason: string;
      readonly description: string;
    }
  | {
      readonly outcome: 'insufficient_scope';
      readonly tenant: string;
      /** The scopes that the tenant requires. */
      readonly scopes: readonly string[];
      readonly description: string;
    }
  | {
      /** The issuer is needed but not available. */
      readonly outcome: 'unavailable';
      readonly tenant: string;
      readonly reason: string;
      readonly description: string;
      /** Seconds until the next attempt. */
      readonly retryAfter: number;
    };

/** The parameters of a Bearer challenge; without an error if the request had no token. */
export interface BearerChallenge {
  readonly realm: string;
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  readonly error_description?: string;
  /** Scopes, separated by spaces. */
  readonly scope?: string;
  /** Where the metadata of the resource is. @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1 */
  readonly resource_metadata?: string;
}

/**
 * Builds the value of a WWW-Authenticate header.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function buildBearerChallenge(challenge: BearerChallenge): string {
  const parameters = Object.entries(challenge)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${describable(String(value))}"`);
  return `Bearer ${parameters.join(', ')}`;
}

/**
 * Replaces the characters that `error_description` does not allow: quotes by apostrophes, others by question marks.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
export function describable(text: string): string {
  return text
    .replace(/["\\]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, LONGEST_DESCRIPTION);
}

/** Characters; the limit keeps a token from making the answer long. */
const LONGEST_DESCRIPTION = 300;

/** Metadata of a protected resource. @see https://www.rfc-editor.org/rfc/rfc9728#section-2 */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
}

/**
 * Builds the metadata of a protected resource.
 * @param resource its identifier, a URL
 * @param tenants whose tokens it accepts
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
 */
export function buildResourceMetadata(
  resource: string,
  tenants: readonly { readonly issuer: string; readonly scopes: readonly string[] }[],
): ResourceMetadata {
  const scopes = [...new Set(tenants.flatMap((tenant) => tenant.scopes))].sort();
  return {
    resource,
    authorization_servers: tenants.map(({ issuer }) => issuer),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
  };
}

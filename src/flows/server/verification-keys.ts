import type { JSONWebKeySet } from 'jose';
import type { Context } from '../../context.ts';
import { type DiscoverOptions, discover } from './discover.ts';
import { fetchJwks } from './jwks.ts';

/** An issuer, as its metadata names it, and its keys. */
export interface IssuerKeys {
  readonly issuer: string;
  readonly keys: JSONWebKeySet;
}

/**
 * Finds an issuer's keys by discovery.
 * @throws as discover and fetchJwks
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export async function discoverKeys(ctx: Context, options: DiscoverOptions): Promise<IssuerKeys> {
  const { metadata } = await discover(ctx, options);
  return { issuer: metadata.issuer, keys: await fetchJwks(ctx, metadata) };
}

/** Fetches a JWK Set by its address. @throws NetworkError, RefusedError */
export function fetchKeysFrom(ctx: Context, url: string): Promise<JSONWebKeySet> {
  return fetchJwks(ctx, { issuer: url, jwks_uri: url });
}

import type { JSONWebKeySet } from 'jose';
import type { Context } from '../../context.ts';
import type { KeyFinder } from '../../protocol/jose/jwt-verdict.ts';
import { findEndpoint } from '../../protocol/oauth/metadata.ts';
import { REFETCH_INTERVAL } from '../serve/tenant-keys.ts';
import { fetchJwks } from '../server/jwks.ts';
import type { Target } from '../server/target.ts';

export type PublishedKeysEvent =
  | { readonly type: 'keys_request'; readonly url: string | undefined }
  | { readonly type: 'keys_response'; readonly count: number; readonly ms: number };

/** The server's keys, fetched at their first use, and again for a `kid` that none of them has. */
export class PublishedKeys {
  readonly #fetch: () => Promise<JSONWebKeySet>;
  readonly #now: () => number;
  #kept: JSONWebKeySet | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #ms: number | undefined;

  constructor(ctx: Context, { metadata }: Target, onEvent: (event: PublishedKeysEvent) => void) {
    this.#now = () => ctx.clock.now();
    this.#fetch = async () => {
      onEvent({ type: 'keys_request', url: findEndpoint(metadata, 'jwks_uri') });
      const startedAt = this.#now();
      const jwks = await fetchJwks(ctx, metadata);
      this.#ms = this.#now() - startedAt;
      onEvent({ type: 'keys_response', count: jwks.keys.length, ms: this.#ms });
      return jwks;
    };
  }

  readonly find: KeyFinder = async ({ kid }) => {
    const isKnown = typeof kid !== 'string' || this.#kept?.keys.some((key) => key.kid === kid);
    if (this.#kept !== undefined && (isKnown || this.#now() - this.#fetchedAt < REFETCH_INTERVAL))
      return this.#kept;
    const kept = this.#kept;
    this.#fetchedAt = this.#now();
    try {
      this.#kept = await this.#fetch();
    } catch (error) {
      // The kept keys can still be used.
      if (kept === undefined) throw error;
    }
    return this.#kept;
  };

  /** Milliseconds of the last fetch; undefined where there was none since the last call. */
  takeMs(): number | undefined {
    const ms = this.#ms;
    this.#ms = undefined;
    return ms;
  }
}

import type { JSONWebKeySet } from 'jose';
import type { Context } from '../../context.ts';
import { ValidationError } from '../../errors.ts';
import {
  identifyBearer,
  isUnknownKey,
  requireIssuerUrl,
  verifyBearer,
} from '../../protocol/ciba/keycloak-bearer.ts';
import type { ServerMetadata } from '../../protocol/oauth/metadata.ts';
import { fetchJwks } from '../server/jwks.ts';

/** Keys are fetched again for an unknown `kid`, at most this often (milliseconds). */
const REFETCH_KEYS_MS = 10_000;

/** Which bearers of delegations a device trusts: those of its realm, each once. */
export class BearerTrust {
  readonly #ctx: Context;
  readonly #metadata: ServerMetadata | undefined;
  readonly #seen = new Set<string>();
  #keys: { at: number; jwks: Promise<JSONWebKeySet> } | undefined;

  /** @param metadata the realm's; undefined trusts any issuer, unverified */
  constructor(ctx: Context, metadata: ServerMetadata | undefined) {
    this.#ctx = ctx;
    this.#metadata = metadata;
  }

  /** @throws ValidationError `bearer_invalid`, `bearer_key_unknown`, `bearer_used`; what fetching the keys throws */
  async check(bearer: string): Promise<void> {
    if (this.#metadata === undefined) requireIssuerUrl(bearer);
    else await this.#verify(bearer, this.#metadata);
    const names = identifyBearer(bearer);
    if (names.some((name) => this.#seen.has(name))) {
      throw new ValidationError('bearer_used', 'the bearer came before, and it is good for one result', {
        hint: 'A second result would destroy the first one.',
      });
    }
    for (const name of names) this.#seen.add(name);
  }

  async #verify(bearer: string, metadata: ServerMetadata): Promise<void> {
    const verify = async () =>
      verifyBearer(bearer, {
        issuer: metadata.issuer,
        jwks: await this.#jwks(metadata),
        now: this.#ctx.clock.now(),
      });
    try {
      await verify();
    } catch (error) {
      const stale = this.#keys !== undefined && this.#ctx.clock.now() - this.#keys.at >= REFETCH_KEYS_MS;
      if (!isUnknownKey(error) || !stale) throw error;
      this.#keys = undefined;
      await verify();
    }
  }

  #jwks(metadata: ServerMetadata): Promise<JSONWebKeySet> {
    if (this.#keys === undefined) {
      const jwks = fetchJwks(this.#ctx, metadata);
      this.#keys = { at: this.#ctx.clock.now(), jwks };
      // A failure is not remembered: the next delegation tries again.
      jwks.catch(() => {
        this.#keys = undefined;
      });
    }
    return this.#keys.jwks;
  }
}

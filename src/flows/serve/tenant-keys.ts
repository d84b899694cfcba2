import type { JSONWebKeySet } from 'jose';
import type { Context } from '../../context.ts';
import type { ServerMetadata } from '../../protocol/oauth/metadata.ts';
import { discover } from '../server/discover.ts';
import { Fetched } from '../server/fetched.ts';
import { fetchJwks } from '../server/jwks.ts';

/** What was asked of an issuer, and whether the answer was of use. */
export interface IssuerRequest {
  readonly type: 'metadata' | 'jwks' | 'introspection';
  /** The issuer of the tokens, or the template of the issuers that have the keys in common. */
  readonly issuer: string;
  readonly succeeded: boolean;
}

/** Whose metadata and keys are fetched. */
export interface KeysSource {
  /** What requests are reported as. */
  readonly name: string;
  readonly issuer: string;
  /** Where the keys are; undefined takes the address that the metadata names. */
  readonly jwksUri: string | undefined;
}

const MINUTE = 60_000;
/** Milliseconds: keys are fetched anew for an unknown `kid` at most this often. */
export const REFETCH_INTERVAL = 30_000;

/**
 * The metadata and keys of one issuer. Nothing is fetched before the first use; the keys are at most ten minutes old,
 * so that a key that is withdrawn counts for nothing then.
 */
export class TenantKeys {
  readonly #ctx: Context;
  readonly #metadata: Fetched<ServerMetadata>;
  readonly #jwks: Fetched<JSONWebKeySet>;
  /** When an unknown `kid` last made us look again. */
  #lookedAgainAt = Number.NEGATIVE_INFINITY;

  /** @param onRequest hears of every request to the issuer, once it is answered or failed */
  constructor(
    ctx: Context,
    { name, issuer, jwksUri }: KeysSource,
    onRequest: (request: IssuerRequest) => void,
  ) {
    const { clock } = ctx;
    const fetchReported = async <Value>(type: IssuerRequest['type'], fetch: () => Promise<Value>) => {
      let succeeded = false;
      try {
        const value = await fetch();
        succeeded = true;
        return value;
      } finally {
        onRequest({ type, issuer: name, succeeded });
      }
    };
    this.#ctx = ctx;
    this.#metadata = new Fetched({
      clock,
      fetch: () => fetchReported('metadata', async () => (await discover(ctx, { issuer })).metadata),
      refreshAfter: 30 * MINUTE,
      maxAge: 60 * MINUTE,
    });
    this.#jwks = new Fetched({
      clock,
      fetch: async () => {
        const metadata = jwksUri === undefined ? await this.#metadata.get() : { issuer, jwks_uri: jwksUri };
        return fetchReported('jwks', () => fetchJwks(ctx, metadata));
      },
      refreshAfter: 5 * MINUTE,
      maxAge: 10 * MINUTE,
    });
  }

  /** @throws as discover */
  metadata(): Promise<ServerMetadata> {
    return this.#metadata.get();
  }

  /**
   * The keys to check a token with. Where none has its `kid`, they are fetched once more, since the issuer may have
   * changed them; but not for every token that names a key at random.
   * @throws as discover and fetchJwks
   */
  async keysFor(kid: unknown): Promise<JSONWebKeySet> {
    const jwks = await this.#jwks.get();
    // What an issuer calls a key may be anything.
    const kids = jwks.keys.map((key: { readonly kid?: unknown } | null) => key?.kid);
    if (typeof kid !== 'string' || kids.includes(kid)) return jwks;
    const now = this.#ctx.clock.now();
    if (!this.#jwks.isUnderWay) {
      if (now - this.#lookedAgainAt < REFETCH_INTERVAL) return jwks;
      this.#lookedAgainAt = now;
    }
    try {
      return await this.#jwks.renew();
    } catch (error) {
      // How often is a matter of the failure then.
      this.#lookedAgainAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }

  /** Milliseconds until asking the issuer again makes sense, after a failure. */
  retryIn(): number {
    return Math.max(this.#metadata.retryIn(), this.#jwks.retryIn());
  }
}

import type { Context } from '../../context.ts';
import { NetworkError, OauthctlError, RefusedError, ValidationError } from '../../errors.ts';
import { readNumberText, stringifyJson } from '../../exact-json.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import { checkClaims } from '../../protocol/jose/jwt-claim-checks.ts';
import type { ClaimExpectations, JwtVerdict } from '../../protocol/jose/jwt-verdict.ts';
import { verifyJwt } from '../../protocol/jose/jwt-verification.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { TokenVerdict } from '../../protocol/oauth/bearer.ts';
import type { ClientAuthMethod } from '../../protocol/oauth/client-authentication.ts';
import type { Introspection } from '../../protocol/oauth/introspection.ts';
import type { ServerMetadata } from '../../protocol/oauth/metadata.ts';
import { FAILURE_KEPT } from '../server/fetched.ts';
import { introspect } from '../validation/introspect.ts';
import { expandEntry, selectKeys } from './issuer-template.ts';
import { type IssuerRequest, TenantKeys } from './tenant-keys.ts';
import type { ExpandedTenant, Tenant } from './tenants-file.ts';

export interface TenantsOptions {
  /** Seconds by which the clocks of issuers may differ from ours. */
  readonly leeway: number;
  /** Whether an ID token passes for an access token. */
  readonly allowIdToken: boolean;
  /** Hears of every request to an issuer. */
  readonly onRequest: (request: IssuerRequest) => void;
}

/** A tenant, and what is kept of its issuer from token to token. */
interface Entry {
  readonly tenant: ExpandedTenant;
  readonly keys: TenantKeys;
  /** The client's secret, once it was needed. */
  secret?: Promise<string> | undefined;
  /** Why and when introspection failed last; milliseconds since the epoch. */
  failure?: { readonly error: unknown; readonly at: number } | undefined;
}

/** What an explicitly typed JWT may call itself. @see https://www.rfc-editor.org/rfc/rfc9068#section-4 */
const ACCESS_TOKEN_TYPES = ['JWT', 'at+jwt'];

/**
 * The issuers whose tokens are accepted. `iss` of a token is compared with the list, to the character, and used for
 * nothing else: from an issuer that is not on the list nothing is fetched.
 */
export class Tenants {
  readonly #ctx: Context;
  readonly #options: TenantsOptions;
  /** By the `iss` of their tokens. */
  #entries = new Map<string, Entry>();
  /** By what they are of: tenants of one template may have theirs in common. */
  #keys = new Map<string, TenantKeys>();

  constructor(ctx: Context, tenants: readonly Tenant[], options: TenantsOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.replace(tenants);
  }

  /** The tenants as they are now, one for each allowed value of a template. */
  get list(): readonly ExpandedTenant[] {
    return [...this.#entries.values()].map(({ tenant }) => tenant);
  }

  /** Whether an issuer, or the template of some, is on the list. */
  has(issuer: string): boolean {
    return this.#entries.has(issuer) || this.list.some(({ template }) => template?.issuer === issuer);
  }

  /**
   * Takes another list from the next token on; what is known of an issuer that stays is kept.
   * @returns the issuers of tokens that came and went, and those whose conditions changed
   */
  replace(tenants: readonly Tenant[]): TenantsChange {
    const before = this.#entries;
    const knownKeys = this.#keys;
    this.#keys = new Map();
    this.#entries = new Map(
      tenants
        .flatMap(expandEntry)
        .map((tenant) => [
          tenant.tokenIssuer,
          this.#buildEntry(tenant, before.get(tenant.tokenIssuer), knownKeys),
        ]),
    );
    const [old, now] = [[...before.keys()], [...this.#entries.keys()]];
    return {
      added: now.filter((issuer) => !before.has(issuer)),
      removed: old.filter((issuer) => !this.#entries.has(issuer)),
      changed: now.filter((issuer) => before.has(issuer) && before.get(issuer) !== this.#entries.get(issuer)),
    };
  }

  /** Judges a token. Nothing is thrown for a bad token or an issuer that is down. */
  async validate(token: string): Promise<TokenVerdict> {
    const decoded = decodeUnverified(token);
    if (decoded === undefined) return this.#validateOpaque(token);
    const { iss } = decoded.claims;
    if (typeof iss !== 'string')
      return refuse('issuer_missing', 'the token does not name its issuer: iss is missing');
    const entry = this.#entries.get(iss);
    if (entry === undefined)
      return refuse('issuer_not_listed', `the issuer ${JSON.stringify(iss)} is not trusted here`);
    return entry.tenant.validation === 'local'
      ? this.#validateLocally(token, decoded.header, entry)
      : this.#introspect(token, entry);
  }

  #buildEntry(
    tenant: ExpandedTenant,
    known: Entry | undefined,
    knownKeys: ReadonlyMap<string, TenantKeys>,
  ): Entry {
    const { issuer, tokenIssuer, jwks_uri, template, validation } = tenant;
    // An address of keys that has no placeholder serves all tenants of the template.
    const isShared = template !== undefined && jwks_uri !== undefined && validation === 'local';
    const name = isShared ? template.issuer : tokenIssuer;
    const id = JSON.stringify([isShared ? name : issuer, jwks_uri]);
    const keys =
      this.#keys.get(id) ??
      knownKeys.get(id) ??
      new TenantKeys(this.#ctx, { name, issuer, jwksUri: jwks_uri }, this.#options.onRequest);
    this.#keys.set(id, keys);
    const isSame = known?.keys === keys && stringifyJson(known.tenant) === stringifyJson(tenant);
    return isSame ? known : { tenant, keys };
  }

  /** A token that names no issuer can be asked about where there is no doubt whom to ask. */
  async #validateOpaque(token: string): Promise<TokenVerdict> {
    const asked = [...this.#entries.values()].filter(({ tenant }) => tenant.validation === 'introspection');
    const [only] = asked;
    if (only !== undefined && asked.length === 1) return this.#introspect(token, only);
    return refuse(
      'opaque_token',
      `the token is no signed JWT that can be read, and ${
        only === undefined ? 'no tenant is' : 'more than one tenant is'
      } asked about such tokens`,
    );
  }

  async #validateLocally(token: string, header: JsonObject, entry: Entry): Promise<TokenVerdict> {
    const { tenant, keys } = entry;
    try {
      const verdict = await verifyJwt(token, {
        ...this.#expectations(tenant),
        keys: async ({ kid }) => selectKeys(await keys.keysFor(kid), tenant),
        issuer: tenant.tokenIssuer,
        required: ['exp'],
        types: header.typ === undefined ? undefined : ACCESS_TOKEN_TYPES,
      });
      return this.#decide(tenant, verdict);
    } catch (error) {
      return unavailable(tenant, error, keys.retryIn());
    }
  }

  async #introspect(token: string, entry: Entry): Promise<TokenVerdict> {
    const { tenant } = entry;
    const { clock } = this.#ctx;
    const wait = entry.failure === undefined ? 0 : entry.failure.at + FAILURE_KEPT - clock.now();
    if (wait > 0) return unavailable(tenant, entry.failure?.error, wait);
    let answer: Introspection;
    try {
      answer = await this.#ask(token, entry);
      entry.failure = undefined;
    } catch (error) {
      if (!isAboutToken(error)) entry.failure = { error, at: clock.now() };
      // It may have been changed since.
      if (error instanceof RefusedError && error.code === 'invalid_client') entry.secret = undefined;
      return unavailable(tenant, error, FAILURE_KEPT);
    }
    const { active, token: claims } = answer;
    if (!active)
      return refuse('token_inactive', 'the issuer says that the token is not active', tenant.tokenIssuer);
    // RFC 7662 lets the issuer leave its name out; it was asked itself.
    const issuer = claims.iss === undefined ? undefined : tenant.tokenIssuer;
    const checks = await checkClaims({}, claims, { ...this.#expectations(tenant), issuer });
    const valid = checks.every(({ outcome }) => outcome !== 'failed');
    return this.#decide(tenant, { valid, checks, claims });
  }

  async #ask(token: string, entry: Entry): Promise<Introspection> {
    const { tokenIssuer, client_id = '', client_secret = '' } = entry.tenant;
    const metadata = await entry.keys.metadata();
    entry.secret ??= this.#ctx.secret(client_secret);
    const secret = await entry.secret.catch((error: unknown) => {
      entry.secret = undefined;
      throw error;
    });
    const client = {
      client_id,
      client_secret: secret,
      token_endpoint_auth_method: chooseAuthMethod(metadata),
    };
    const target = { metadata, client, extraParameters: [], owner: undefined, keepTokens: false };
    let succeeded = false;
    try {
      const answer = await introspect(this.#ctx, { target, token }, () => {});
      succeeded = true;
      return answer;
    } finally {
      this.#options.onRequest({ type: 'introspection', issuer: tokenIssuer, succeeded });
    }
  }

  #expectations({ audience, claims }: ExpandedTenant): ClaimExpectations {
    const { leeway, allowIdToken } = this.#options;
    return {
      audience,
      leeway,
      now: this.#ctx.clock.now(),
      accessTokenOnly: !allowIdToken,
      claims: Object.entries(claims).map(([name, value]) => {
        const json = readNumberText(claims, name);
        return json === undefined ? { name, values: [value] } : { name, values: [], json };
      }),
    };
  }

  #decide(tenant: ExpandedTenant, { valid, checks, claims = {} }: JwtVerdict): TokenVerdict {
    const { tokenIssuer: issuer, validation, scopes } = tenant;
    if (!valid) {
      const failures = checks.filter(({ outcome }) => outcome === 'failed');
      const description = failures.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
      return refuse(failures[0]?.reason ?? 'not_verified', description, issuer);
    }
    if (claims.cnf !== undefined) {
      return refuse(
        'sender_constrained',
        'cnf: the token is bound to a key or certificate, and came as a plain bearer token',
        issuer,
      );
    }
    const granted = readScopes(claims);
    const missing = scopes.filter((scope) => !granted.includes(scope));
    if (missing.length > 0) {
      const description = `the token lacks the scope ${missing.join(' ')}`;
      return { outcome: 'insufficient_scope', tenant: issuer, scopes, description };
    }
    return { outcome: 'accepted', tenant: issuer, validation, claims };
  }
}

/** Which tenants a new list added, removed and changed, by the issuer of their tokens. */
export interface TenantsChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

function refuse(reason: string, description: string, tenant?: string): TokenVerdict {
  return { outcome: 'invalid_token', reason, description, ...(tenant !== undefined && { tenant }) };
}

/** @param wait milliseconds until asking the issuer again makes sense */
function unavailable({ tokenIssuer }: ExpandedTenant, error: unknown, wait: number): TokenVerdict {
  if (!(error instanceof OauthctlError)) throw error;
  return {
    outcome: 'unavailable',
    tenant: tokenIssuer,
    reason: error.code,
    description: error.message,
    retryAfter: Math.max(1, Math.ceil(wait / 1000)),
  };
}

/** Whether a failure may come of the token alone: nobody else is to wait for it. */
function isAboutToken(error: unknown): boolean {
  if (error instanceof NetworkError) return error.code === 'not_the_protocol';
  return error instanceof RefusedError || error instanceof ValidationError;
}

/** RFC 9068 has a string, some servers `scp` or a list. @see https://www.rfc-editor.org/rfc/rfc8693#section-4.2 */
function readScopes({ scope = [], scp = [] }: JsonObject): readonly string[] {
  return [scope, scp].flat().flatMap((one) => (typeof one === 'string' ? one.split(' ') : []));
}

/** The default of RFC 8414, unless the server rules it out. @see https://www.rfc-editor.org/rfc/rfc8414#section-2 */
function chooseAuthMethod({
  introspection_endpoint_auth_methods_supported: methods,
}: ServerMetadata): ClientAuthMethod {
  const isPostOnly =
    Array.isArray(methods) &&
    methods.includes('client_secret_post') &&
    !methods.includes('client_secret_basic');
  return isPostOnly ? 'client_secret_post' : 'client_secret_basic';
}

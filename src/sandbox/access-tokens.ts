import { jwtVerify, SignJWT } from 'jose';
import type { Accounts } from './accounts.ts';
import type { SandboxKeys } from './keys.ts';
import type { MemoryStore } from './memory-store.ts';

const TYPE = 'at+jwt';
const DISGUISE = 'jwt:';

/**
 * Hides from oidc-provider that a token is a JWT.
 *
 * Its introspection and revocation endpoints refuse JWTs unseen, because its own JWT access tokens are not stored.
 * Those of the sandbox are. Refresh tokens, which are no JWTs, stay as they are.
 */
export function disguise(token: string): string {
  return token.includes('.') ? DISGUISE + token : token;
}

/**
 * Access tokens as signed JWTs over stored ones.
 *
 * oidc-provider issues and stores an opaque token; the client gets a JWT whose `jti` is the id of the stored one. So
 * clients can verify it offline, and introspection, revocation and userinfo work on it too. The bare id is not
 * accepted anywhere.
 *
 * @see RFC 9068 §2
 */
export class AccessTokens {
  readonly #issuer: string;
  readonly #keys: SandboxKeys;
  readonly #store: MemoryStore;
  readonly #accounts: Accounts;

  constructor(issuer: string, keys: SandboxKeys, store: MemoryStore, accounts: Accounts) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.#store = store;
    this.#accounts = accounts;
  }

  /**
   * The JWT for a stored access token.
   *
   * @param id id of an access token that oidc-provider has just stored
   * @throws Error when there is no such token
   */
  async sign(id: string): Promise<string> {
    const stored = (this.#store.get('AccessToken', id) ?? this.#store.get('ClientCredentials', id)) as
      | { accountId?: string; clientId: string; scope?: string; iat: number; exp: number }
      | undefined;
    if (stored === undefined) {
      throw new Error('the access token to sign is not stored');
    }
    const { accountId, clientId, scope, iat, exp } = stored;
    return new SignJWT({
      typ: 'Bearer',
      azp: clientId,
      client_id: clientId,
      ...(scope ? { scope } : {}),
      ...(accountId === undefined ? {} : { preferred_username: this.#accounts.byId(accountId)?.username }),
    })
      .setProtectedHeader({ alg: 'RS256', kid: this.#keys.kid, typ: TYPE })
      .setIssuer(this.#issuer)
      .setAudience(clientId)
      .setSubject(accountId ?? clientId)
      .setJti(id)
      .setIssuedAt(iat)
      .setExpirationTime(exp)
      .sign(this.#keys.privateKey);
  }

  /** The id of the stored token behind a JWT, disguised or not; undefined when this sandbox has not signed it. */
  async identify(value: string): Promise<string | undefined> {
    const jwt = value.startsWith(DISGUISE) ? value.slice(DISGUISE.length) : value;
    try {
      const { payload } = await jwtVerify(jwt, this.#keys.publicKey, {
        issuer: this.#issuer,
        typ: TYPE,
        algorithms: ['RS256'],
      });
      return payload.jti;
    } catch {
      return undefined;
    }
  }
}

import { jwtVerify, SignJWT } from 'jose';
import type { Accounts } from './accounts.ts';
import type { SandboxKeys } from './keys.ts';

/** An access token as oidc-provider stores it. */
export interface StoredAccessToken {
  readonly jti: string;
  readonly clientId: string;
  readonly iat: number;
  readonly exp: number;
  /** Missing if the token was issued to the client itself. */
  readonly accountId?: string;
  readonly scope?: string;
  readonly aud?: string;
  /** The thumbprint of the DPoP key it is bound to. */
  readonly jkt?: string;
  readonly rar?: readonly unknown[];
}

const TYPE = 'at+jwt';
const DISGUISE = 'jwt:';

/**
 * Hides from oidc-provider that a token is a JWT.
 *
 * Its introspection and revocation endpoints refuse JWTs unseen, because its own JWT access tokens are not stored.
 * Those of the sandbox are. Refresh tokens, which are not JWTs, are unchanged.
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
 * @see RFC 9068 §2, RFC 9449 §6.1, RFC 9396 §9.1
 */
export class AccessTokens {
  readonly #issuer: string;
  readonly #keys: SandboxKeys;
  readonly #accounts: Accounts;

  constructor(issuer: string, keys: SandboxKeys, accounts: Accounts) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.#accounts = accounts;
  }

  /** The JWT for an access token that oidc-provider is about to store. */
  sign(token: StoredAccessToken): Promise<string> {
    const { jti, accountId, clientId, scope, iat, exp, aud, jkt, rar } = token;
    return new SignJWT({
      typ: jkt === undefined ? 'Bearer' : 'DPoP',
      azp: clientId,
      client_id: clientId,
      ...(scope ? { scope } : {}),
      ...(accountId === undefined ? {} : { preferred_username: this.#accounts.byId(accountId)?.username }),
      ...(rar === undefined ? {} : { authorization_details: rar }),
      ...(jkt === undefined ? {} : { cnf: { jkt } }),
    })
      .setProtectedHeader({ alg: 'RS256', kid: this.#keys.kid, typ: TYPE })
      .setIssuer(this.#issuer)
      .setAudience(aud ?? clientId)
      .setSubject(accountId ?? clientId)
      .setJti(jti)
      .setIssuedAt(iat)
      .setExpirationTime(exp)
      .sign(this.#keys.privateKey);
  }

  /** The id of the stored token behind a JWT, disguised or not; undefined if this sandbox did not sign it. */
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

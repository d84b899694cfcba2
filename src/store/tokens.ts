import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors.ts';
import { type DocumentKind, isRecord, isVersionOne, type JsonFile } from './json-file.ts';
import { describeLockHolder, type LockHolder, tryLock } from './lock.ts';

/** The response of a grant, and when it was received. */
export interface KeptTokens {
  /** The whole token response. */
  readonly response: Readonly<Record<string, unknown>>;
  /** The first grant: a refresh does not change it. */
  readonly grant_type: string;
  readonly issuer: string;
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly received_at: number;
  /** Absent if it is not known what was requested. */
  readonly asked?: AskedFor | undefined;
  /** The DPoP key of the request; the token type says whether the access token is bound to it. */
  readonly dpop?: KeptDpopKey | undefined;
}

/** The key of DPoP proofs that is kept with the tokens. */
export interface KeptDpopKey {
  /** The RFC 7638 thumbprint of the public key. */
  readonly jkt: string;
  readonly alg: string;
  /** The private key, if it was created for these tokens; absent if it is in a file of the user. */
  readonly jwk?: Readonly<Record<string, unknown>> & { readonly kty: string };
}

/** What was requested, so that a later run can decide whether to reuse the tokens. */
export interface AskedFor {
  readonly scope?: string | undefined;
  /** The user name or login hint. */
  readonly user?: string | undefined;
  /** SHA-256 of the other parameters, some of which are secrets; absent if there were none. */
  readonly others?: string | undefined;
}

export interface TokensDocument {
  version: 1;
  last: Record<string, KeptTokens>;
}

export const TOKENS_DOCUMENT: DocumentKind<TokensDocument> = {
  empty: () => ({ version: 1, last: {} }),
  isContent: isTokensDocument,
};

function isTokensDocument(value: unknown): value is TokensDocument {
  return isVersionOne(value) && isRecord((value as { last?: unknown }).last, isKeptTokens);
}

function isKeptTokens(value: unknown): value is KeptTokens {
  const kept = value as Partial<KeptTokens> | null;
  return (
    typeof kept === 'object' &&
    kept !== null &&
    typeof kept.response === 'object' &&
    kept.response !== null &&
    typeof kept.grant_type === 'string' &&
    typeof kept.issuer === 'string' &&
    typeof kept.client_id === 'string' &&
    typeof kept.received_at === 'number' &&
    (kept.asked === undefined || (typeof kept.asked === 'object' && kept.asked !== null)) &&
    (kept.dpop === undefined || isKeptDpopKey(kept.dpop))
  );
}

function isKeptDpopKey(value: unknown): value is KeptDpopKey {
  const key = value as Partial<KeptDpopKey> | null;
  return (
    typeof key === 'object' &&
    key !== null &&
    typeof key.jkt === 'string' &&
    typeof key.alg === 'string' &&
    (key.jwk === undefined || typeof key.jwk?.kty === 'string')
  );
}

/** The last tokens of each profile, for `@last.access_token` and similar references. */
export class TokenStore {
  readonly #file: JsonFile<TokensDocument>;
  readonly #holder: LockHolder | undefined;

  constructor(file: JsonFile<TokensDocument>, holder?: LockHolder) {
    this.#file = file;
    this.#holder = holder;
  }

  /** @param owner the profile's name, or another key if there is no profile */
  async keep(owner: string, tokens: KeptTokens): Promise<void> {
    await this.#file.change((document) => {
      document.last[owner] = tokens;
    });
  }

  async last(owner: string): Promise<KeptTokens | undefined> {
    const { last } = await this.#file.read();
    return Object.hasOwn(last, owner) ? last[owner] : undefined;
  }

  /** All kept tokens, by owner. */
  async list(): Promise<Readonly<Record<string, KeptTokens>>> {
    return (await this.#file.read()).last;
  }

  /**
   * Replaces a used refresh token, and no other member: the rest of the new response is not
   * trusted yet.
   * @param tokens the record to store if another record is kept now, or none
   */
  async rotate(owner: string, used: string, next: string, tokens: KeptTokens): Promise<void> {
    await this.#file.change((document) => {
      const kept = Object.hasOwn(document.last, owner) ? document.last[owner] : undefined;
      if (kept?.response.refresh_token !== used) {
        document.last[owner] = { ...tokens, response: { refresh_token: next } };
        return;
      }
      // The lifetime is that of the previous token.
      const { refresh_expires_in: _over, ...response } = kept.response;
      document.last[owner] = { ...kept, response: { ...response, refresh_token: next } };
    });
  }

  /** @returns the owners whose tokens were removed */
  async forget(owners: readonly string[]): Promise<string[]> {
    return this.#file.change((document) => {
      const forgotten = owners.filter((owner) => Object.hasOwn(document.last, owner));
      for (const owner of forgotten) delete document.last[owner];
      return forgotten;
    });
  }

  /**
   * Removes an invalid token of any owner. With a refresh token, all tokens of its response are removed; an access
   * token is removed without the others, so that a refresh still works.
   * @returns the owners that kept it
   */
  async drop(token: string): Promise<string[]> {
    return this.#file.change((document) => {
      const dropped: string[] = [];
      for (const [owner, kept] of Object.entries(document.last)) {
        const { access_token, expires_in: _over, ...others } = kept.response;
        if (others.refresh_token !== token && access_token !== token) continue;
        const isOfUse = others.refresh_token !== token && (others.refresh_token ?? others.id_token);
        if (isOfUse) document.last[owner] = { ...kept, response: others };
        else delete document.last[owner];
        dropped.push(owner);
      }
      return dropped;
    });
  }

  /**
   * Claims the right to refresh the tokens of an owner, across processes, without waiting.
   * @returns the function that releases it; undefined while another run is refreshing them
   * @throws UsageError `file_unwritable`
   */
  async lockRefresh(owner: string): Promise<(() => Promise<void>) | undefined> {
    const path = this.#refreshLock(owner);
    try {
      const lock = await tryLock(path, this.#holder);
      return lock && (() => lock.release().catch(() => {}));
    } catch (error) {
      throw new UsageError('file_unwritable', `${path} cannot be created: ${(error as Error).message}`, {
        hint: 'Check the permissions and the free space there, or set another folder with OAUTHCTL_HOME.',
        cause: error,
      });
    }
  }

  /** Says which run is refreshing the tokens of an owner. */
  describeRefresher(owner: string): Promise<string> {
    return describeLockHolder(this.#refreshLock(owner));
  }

  #refreshLock(owner: string): string {
    const name = createHash('sha256').update(owner).digest('hex').slice(0, 16);
    return join(dirname(this.#file.path), `refresh-${name}.lock`);
  }
}

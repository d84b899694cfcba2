import { isRecordOf, isVersionOne, type JsonFile } from './json-file.ts';

/** What a grant returned, as it came, and when. */
export interface KeptTokens {
  /** The token response, every member. */
  readonly response: Readonly<Record<string, unknown>>;
  readonly grant_type: string;
  readonly issuer: string;
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly received_at: number;
}

export interface TokensDocument {
  version: 1;
  last: Record<string, KeptTokens>;
}

export function emptyTokens(): TokensDocument {
  return { version: 1, last: {} };
}

export function isTokensDocument(value: unknown): value is TokensDocument {
  return isVersionOne(value) && isRecordOf((value as { last?: unknown }).last, isKeptTokens);
}

function isKeptTokens(value: unknown): value is KeptTokens {
  const kept = value as Partial<KeptTokens> | null;
  return (
    typeof kept === 'object' && kept !== null && typeof kept.response === 'object' && kept.response !== null
  );
}

/** The last tokens of each profile: what `@last.access_token` and its like mean. */
export class TokenStore {
  readonly #file: JsonFile<TokensDocument>;

  constructor(file: JsonFile<TokensDocument>) {
    this.#file = file;
  }

  /** @param owner the profile's name, or another key where there is no profile */
  async keep(owner: string, tokens: KeptTokens): Promise<void> {
    await this.#file.change((document) => {
      document.last[owner] = tokens;
    });
  }

  async last(owner: string): Promise<KeptTokens | undefined> {
    const { last } = await this.#file.read();
    return Object.hasOwn(last, owner) ? last[owner] : undefined;
  }
}

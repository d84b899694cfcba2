import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Context, createContext, type HttpAnswer, type HttpRequest } from '../../../src/context.ts';
import { NetworkError } from '../../../src/errors.ts';
import { stringifyJson } from '../../../src/exact-json.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { testParts } from '../../helpers/parts.ts';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

let count = 0;

async function makeKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  count += 1;
  const kid = `key-${count}`;
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

/** An issuer that lives behind the transport of a context. */
export class Issuer {
  readonly url: string;
  readonly requests: ('metadata' | 'jwks' | 'introspection')[] = [];
  /** Refuses every connection. */
  isDown = false;
  /** What its metadata calls it, where that is something else. */
  claimedIssuer: string | undefined;
  /** What it says of any token it is asked about. */
  introspection: object = { active: false };
  /** What stands in its JWKS before its key. */
  strangeKeys: readonly unknown[] = [];
  /** Further members of its metadata. */
  furtherMetadata: Readonly<Record<string, unknown>> = {};
  /** Further members of its key. */
  furtherKeyMembers: Readonly<Record<string, unknown>> = {};
  #key: SigningKey;

  constructor(url: string, key: SigningKey) {
    this.url = url;
    this.#key = key;
  }

  /** Signs with another key from now on, and publishes that one alone. */
  async rotate(): Promise<void> {
    this.#key = await makeKey();
  }

  asked(what: 'metadata' | 'jwks' | 'introspection'): number {
    return this.requests.filter((one) => one === what).length;
  }

  /** A token that expires in five minutes; a claim that is undefined is left out. */
  token(
    clock: FakeClock,
    claims: Readonly<Record<string, unknown>> = {},
    header: { readonly kid?: string; readonly typ?: string } = {},
  ): Promise<string> {
    const now = Math.floor(clock.now() / 1000);
    const payload = { iss: this.url, aud: 'api', sub: 'user-1', iat: now, exp: now + 300, ...claims };
    return new CompactSign(new TextEncoder().encode(stringifyJson(payload)))
      .setProtectedHeader({ alg: 'ES256', kid: this.#key.kid, ...header })
      .sign(this.#key.privateKey);
  }

  answer({ url }: HttpRequest): HttpAnswer {
    const json = (value: unknown, status = 200): HttpAnswer => ({
      url,
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
      ms: 1,
    });
    if (url === `${this.url}/jwks`) {
      this.requests.push('jwks');
      this.#refuseWhileDown();
      return json({ keys: [...this.strangeKeys, { ...this.#key.jwk, ...this.furtherKeyMembers }] });
    }
    if (url === `${this.url}/introspect`) {
      this.requests.push('introspection');
      this.#refuseWhileDown();
      return json(this.introspection);
    }
    this.requests.push('metadata');
    this.#refuseWhileDown();
    return json({
      issuer: this.claimedIssuer ?? this.url,
      jwks_uri: `${this.url}/jwks`,
      introspection_endpoint: `${this.url}/introspect`,
      ...this.furtherMetadata,
    });
  }

  #refuseWhileDown(): void {
    if (this.isDown) throw new NetworkError('connection_refused', `${this.url} refused the connection`);
  }
}

/** A context in which every request goes to one of these issuers, and one to anybody else is a defect. */
export async function withIssuers(names: readonly string[]) {
  const clock = new FakeClock({ auto: false });
  const made = await Promise.all(
    names.map(async (name) => new Issuer(`https://${name}.example`, await makeKey())),
  );
  const parts = await testParts({ clock, env: { CLIENT_SECRET: 'the-client-secret' } });
  const sent: HttpRequest[] = [];
  const ctx: Context = {
    ...createContext(parts),
    http: async () => ({
      async send(request) {
        sent.push(request);
        // Answers take a turn, so that requests can overlap.
        await new Promise((resolve) => setImmediate(resolve));
        const issuer = made.find(({ url }) => request.url.startsWith(`${url}/`));
        if (issuer === undefined) throw new Error(`a request to ${request.url}`);
        return issuer.answer(request);
      },
    }),
  };
  return { ctx, clock, issuers: made as unknown as [Issuer, Issuer, Issuer], sent };
}

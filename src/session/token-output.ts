import type { Lifetimes } from '../flows/token/kept-tokens.ts';
import { colours } from '../output/style.ts';
import { renderTokens, type ShownToken } from '../output/token-result.ts';
import { decodeUnverified, readEncryption } from '../protocol/jose/jwt.ts';
import { parseLifetime } from '../protocol/oauth/response-members.ts';
import type { TokenResponse } from '../protocol/oauth/token.ts';
import type { VerifiedIdToken } from '../protocol/oidc/id-token.ts';
import { printResult, type Session } from './session.ts';

const TOKENS = ['access_token', 'id_token', 'refresh_token'] as const;

/** Prints a token response: unchanged with `--json`, claims and lifetimes for people. */
export async function printTokens(
  session: Session,
  tokens: TokenResponse,
  idToken: VerifiedIdToken | undefined,
): Promise<void> {
  await printResponse(session, tokens.json, { idToken });
}

export interface ResponseView {
  /** The verified ID token, which may be encrypted. */
  readonly idToken?: VerifiedIdToken | undefined;
  /** A line before it, for people. */
  readonly heading?: string;
  /** What people see instead of the unchanged response. */
  readonly shown?: Readonly<Record<string, unknown>>;
  /** Seconds that are left, if the response does not say it. */
  readonly lifetimes?: Lifetimes;
}

/** Prints a token response that may lack members: unchanged with `--json`, claims and lifetimes for people. */
export async function printResponse(
  session: Session,
  json: Readonly<Record<string, unknown>>,
  { idToken, heading, shown = json, lifetimes }: ResponseView,
): Promise<void> {
  const { ctx } = session;
  const paint = await colours(ctx.env, ctx.io.stdoutIsTerminal);
  printResult(session, json, () => {
    const describeLifetime = (name: (typeof TOKENS)[number]) => {
      if (name === 'id_token') return undefined;
      if (lifetimes) return lifetimes[name];
      // Keycloak sends 0 for a refresh token that does not expire.
      return name === 'access_token'
        ? parseLifetime(shown.expires_in)
        : parseLifetime(shown.refresh_expires_in) || undefined;
    };
    const tokens = TOKENS.flatMap((name): ShownToken[] => {
      const token = shown[name];
      if (typeof token !== 'string' || token.trim() === '') return [];
      const verified = name === 'id_token' ? idToken : undefined;
      const jwt = decodeUnverified(token);
      const alg = verified?.alg ?? jwt?.header.alg ?? readEncryption(token);
      return [
        {
          name,
          token,
          // A refresh token is opaque to the client, so its claims are not shown.
          claims: name === 'refresh_token' ? undefined : (verified?.claims ?? jwt?.claims),
          alg: typeof alg === 'string' ? alg : undefined,
          expiresIn: describeLifetime(name),
          verified: verified !== undefined,
        },
      ];
    });
    const { access_token: _access, id_token: _id, refresh_token: _refresh, ...others } = shown;
    const text = renderTokens(tokens, others, {
      paint,
      now: ctx.clock.now(),
      showSecrets: ctx.redactor.showSecrets,
    });
    return heading === undefined ? text : `${heading}\n${text}`;
  });
}

import type { Lifetimes } from '../flows/token/kept-tokens.ts';
import { colours } from '../output/style.ts';
import { renderTokens, type ShownToken } from '../output/token-result.ts';
import { decodeUnverified, readEncryption } from '../protocol/jose/jwt.ts';
import { parseLifetime } from '../protocol/oauth/response-members.ts';
import type { TokenResponse } from '../protocol/oauth/token.ts';
import type { VerifiedIdToken } from '../protocol/oidc/id-token.ts';
import { printResult, type Session } from './session.ts';

const TOKENS = ['access_token', 'id_token', 'refresh_token'] as const;

/** Prints a token response: as it came for `--json`, claims and lifetimes for people. */
export async function printTokens(
  session: Session,
  tokens: TokenResponse,
  idToken: VerifiedIdToken | undefined,
): Promise<void> {
  await printResponse(session, tokens.json, { idToken });
}

export interface ResponseView {
  /** What was verified of the ID token, which may be encrypted. */
  readonly idToken?: VerifiedIdToken | undefined;
  /** A line before it, for people. */
  readonly heading?: string;
  /** What people see instead of the response as it came. */
  readonly shown?: Readonly<Record<string, unknown>>;
  /** Seconds that are left, where the response itself does not say. */
  readonly lifetimes?: Lifetimes;
}

/** Prints a token response of which members may be missing: as it came for `--json`, claims and lifetimes for people. */
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
      // Keycloak writes 0 for a refresh token without an end.
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
          // A refresh token's claims are the server's own business.
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

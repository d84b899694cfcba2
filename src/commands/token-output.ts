import { colours } from '../output/style.ts';
import { renderTokens, type ShownToken } from '../output/token-result.ts';
import { decodeUnverified } from '../protocol/jwt.ts';
import type { TokenResponse } from '../protocol/token.ts';
import { printResult, type Session } from './session.ts';

const TOKENS = ['access_token', 'id_token', 'refresh_token'] as const;

/** Prints a token response: as it came for `--json`, claims and lifetimes for people. */
export async function printTokens(
  session: Session,
  tokens: TokenResponse,
  idTokenVerified: boolean,
): Promise<void> {
  const { ctx } = session;
  const paint = await colours(ctx.env, ctx.io.stdoutIsTerminal);
  printResult(session, tokens.json, () => {
    const shown = TOKENS.flatMap((name): ShownToken[] => {
      const token = tokens[name];
      if (token === undefined) return [];
      const jwt = decodeUnverified(token);
      const refreshExpiry = tokens.json.refresh_expires_in;
      const alg = jwt?.header.alg;
      return [
        {
          name,
          token,
          // A refresh token's claims are the server's own business.
          claims: name === 'refresh_token' ? undefined : jwt?.claims,
          alg: typeof alg === 'string' ? alg : undefined,
          expiresIn:
            name === 'access_token'
              ? tokens.expires_in
              : name === 'refresh_token' && typeof refreshExpiry === 'number' && refreshExpiry > 0
                ? refreshExpiry
                : undefined,
          verified: name === 'id_token' && idTokenVerified,
        },
      ];
    });
    const others = Object.fromEntries(
      Object.entries(tokens.json).filter(([name]) => !(TOKENS as readonly string[]).includes(name)),
    );
    return renderTokens(shown, others, {
      paint,
      now: ctx.clock.now(),
      showSecrets: ctx.redactor.showSecrets,
    });
  });
}

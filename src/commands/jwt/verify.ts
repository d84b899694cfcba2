import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError, ValidationError } from '../../errors.ts';
import { failuresInWords, renderChecks } from '../../output/checks.ts';
import { findTokens } from '../../protocol/jose/find-tokens.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import type { JwtProfile } from '../../protocol/jose/jwt-verdict.ts';
import { describeShape } from '../../protocol/jose/token-shape.ts';
import { documentCommand, NETWORK_GLOBALS } from '../../session/command-help.ts';
import { createReferenceArgument, createRepeatableOption } from '../../session/options.ts';
import { isForPeople, openSession, printResult, type Session } from '../../session/session.ts';
import { addSetting } from '../../session/setting-options.ts';
import { readTokenText } from '../../session/token-argument.ts';
import { readExpectations, type VerifyFlags } from './expectations.ts';

/** `oauthctl jwt verify` */
export function defineJwtVerify(command: Command, ctx: Context): void {
  addSetting(command, 'issuer', {
    description: 'the issuer of the token; its keys are used unless other keys are given',
  });
  addSetting(command, 'acceptIssuer');
  addSetting(command, 'clientId', { description: 'the client that an ID token or logout token is for' });
  command
    .description('verify a JWT, and list every check; or many, one a line')
    .addArgument(
      createReferenceArgument(
        '[token]',
        'the JWT, Bearer …, JSON with a token in it, @FILE, @last.access_token, or - (the default in a pipe)',
      ),
    )
    .option('--jwks <file|url>', 'keys: a JWK Set')
    .option('--key <file>', 'key: PEM, JWK or JWK Set (with --cert it stays the key of the certificate)')
    .option('--secret <ref>', 'the secret of HS256, HS384 and HS512')
    .addOption(
      createRepeatableOption('--audience <aud>', 'required audience (aud); one of several is enough'),
    )
    .addOption(createRepeatableOption('--type <typ>', 'accepted types (typ): JWT, at+jwt, …'))
    .addOption(createRepeatableOption('--alg <alg>', 'accepted algorithms (default: those of the keys)'))
    .option('--max-age <seconds>', 'maximum age since iat, or for an ID token since auth_time')
    .option('--leeway <seconds>', 'accepted clock difference', '0')
    .addOption(
      createRepeatableOption(
        '--claim <name=value>',
        'required value of a claim, text or JSON; dots select members of objects; without a value the claim must be present',
      ),
    )
    .option('--id-token', 'verify as an ID token: iss, sub, aud, azp, exp, iat, nonce, at_hash, c_hash')
    .option('--nonce <nonce>', 'the nonce of the authentication request, with --id-token')
    .option('--access-token <ref>', 'the access token that came with the ID token, for at_hash')
    .option('--code <ref>', 'the code that came with the ID token, for c_hash')
    .option('--access-token-profile', 'verify as an access token of RFC 9068: typ at+jwt and its claims')
    .option('--logout-token', 'verify as a back-channel logout token: events, sub or sid, no nonce')
    .option(
      '--lines',
      'read many tokens from standard input, one per line; print a verdict per line; uses all cores',
    )
    .action((token: string | undefined) => runVerify(ctx, command, token));
  documentCommand(command, {
    globals: NETWORK_GLOBALS,
    examples: [
      'oauthctl jwt verify @last.access_token --audience api',
      'oauthctl jwt verify @last.id_token --id-token --access-token @last.access_token',
      'oauthctl jwt verify --lines --jwks keys.json',
    ],
  });
}

async function runVerify(base: Context, command: Command, argument: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<VerifyFlags>();
  const profile = readProfile(flags);
  if (argument === undefined && (flags.lines || !session.ctx.io.stdinIsTerminal))
    session.ctx.claimStdin(flags.lines ? '--lines' : 'the token');
  if (flags.lines) {
    if (argument !== undefined && argument !== '-')
      throw new UsageError(
        'lines_and_token',
        '--lines reads tokens from standard input, and excludes the argument',
      );
    const { runVerifyLines } = await import('./verify-lines.ts');
    return runVerifyLines(session, await readExpectations(session, flags, profile));
  }
  const token = await readToken(session, argument, profile);
  const claimed = decodeUnverified(token)?.claims.iss;
  const expected = await readExpectations(session, flags, profile, claimed);
  const { verifyJwt } = await import('../../protocol/jose/jwt-verification.ts');
  const verdict = await verifyJwt(token, { ...expected, now: session.ctx.clock.now() });
  const { valid, checks, header = null, claims = null } = verdict;
  const { paint } = session.reporter;
  // The verdict on an invalid token is a result too; with --json it is a member of the error.
  if (valid || isForPeople(session)) {
    const summary = valid ? paint.green('valid') : paint.red('not valid');
    printResult(
      session,
      { valid, checks, header, claims },
      () => `${renderChecks(checks, paint)}${summary}\n`,
    );
  }
  if (valid) return;
  throw new ValidationError('jwt_invalid', `the token is not valid: ${failuresInWords(checks)}`, {
    hint: header === null ? shapeHint(token) : 'Show its content with "oauthctl jwt decode".',
    checks,
  });
}

function shapeHint(token: string): string {
  const { looksLike, hint } = describeShape(token);
  return `It looks like ${looksLike}.${hint === undefined ? '' : ` ${hint}`}`;
}

function readProfile(flags: VerifyFlags): JwtProfile | undefined {
  const profiles = [
    ...(flags.idToken ? ['id_token' as const] : []),
    ...(flags.accessTokenProfile ? ['access_token' as const] : []),
    ...(flags.logoutToken ? ['logout_token' as const] : []),
  ];
  if (profiles.length > 1) {
    throw new UsageError(
      'profile_ambiguous',
      '--id-token, --access-token-profile and --logout-token exclude one another',
    );
  }
  const ofIdToken = (['nonce', 'accessToken', 'code'] as const).find((name) => flags[name] !== undefined);
  if (ofIdToken !== undefined && !flags.idToken) {
    const flag = { nonce: '--nonce', accessToken: '--access-token', code: '--code' }[ofIdToken];
    throw new UsageError('id_token_missing', `${flag} requires --id-token`);
  }
  return profiles[0];
}

/** Reads the token; from a token response, the token of the chosen profile. */
async function readToken(
  session: Session,
  argument: string | undefined,
  profile: JwtProfile | undefined,
): Promise<string> {
  if (argument === undefined && session.ctx.io.stdinIsTerminal) {
    throw new UsageError('token_missing', 'there is no token to verify', {
      hint: 'Give it as an argument, as @FILE, as @last.access_token, or on standard input.',
    });
  }
  const text = await readTokenText(session, argument ?? '-');
  const found = findTokens(text);
  session.ctx.redactor.know(...found.map(({ token }) => token));
  if (found[0]?.isSdJwt) session.reporter.warning('it is an SD-JWT; its disclosures are not verified');
  const wanted = profile ?? 'access_token';
  const meant = found.length === 1 ? found[0] : found.find(({ name }) => name === wanted);
  for (const repair of meant?.repairs ?? []) session.reporter.warning(repair);
  if (meant !== undefined) return meant.token;
  if (found.length === 0) return text.trim();
  throw new UsageError(
    'token_ambiguous',
    `there are ${found.length} tokens, and only one can be verified at a time`,
    {
      hint: 'Give one of them, or all of them with --lines, one per line.',
    },
  );
}

import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError, ValidationError } from '../../errors.ts';
import { readNumberText, stringifyJson } from '../../exact-json.ts';
import { renderDecoded, type ShownJwt, type ShownMember } from '../../output/decoded-jwt.ts';
import { printable } from '../../output/printable.ts';
import { type FoundToken, findTokens } from '../../protocol/jose/find-tokens.ts';
import type { DecodedToken, DecryptionKeys } from '../../protocol/jose/jwt-decoding.ts';
import { describeClaim, describeParameter, TIME_CLAIMS } from '../../protocol/jose/jwt-names.ts';
import { describeShape } from '../../protocol/jose/token-shape.ts';
import { maskClaims } from '../../redact.ts';
import { documentCommand, OFFLINE_GLOBALS } from '../../session/command-help.ts';
import { readSecret } from '../../session/option-values.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { readKeyFile } from '../../session/read-keys.ts';
import { openSession, printResult, type Session, storageName } from '../../session/session.ts';
import { addSettings } from '../../session/setting-options.ts';
import { readTokenText } from '../../session/token-argument.ts';

/** A token that was found, decoded; a token without a header is opaque. */
interface Result {
  readonly found: FoundToken;
  readonly decoded: DecodedToken | undefined;
}

/** `oauthctl jwt decode` */
export function defineJwtDecode(command: Command, ctx: Context): void {
  command
    .description('decode JWTs without verifying them, and without network access')
    .addArgument(
      createReferenceArgument(
        '[token...]',
        'a JWT, Bearer …, JSON or a URL with tokens in it, @FILE, @last, @last.access_token, or - (the default in a pipe)',
      ),
    )
    .option('--key <file>', 'decrypts encrypted tokens: private key as PEM, JWK or JWK Set')
    .option('--secret <ref>', 'decrypts encrypted tokens')
    .action((tokens: readonly string[]) => runDecode(ctx, command, tokens));
  addSettings(command, 'issuer', 'clientId');
  documentCommand(command, {
    globals: [...OFFLINE_GLOBALS, 'profile'],
    examples: ['oauthctl jwt decode @last.access_token', 'oauthctl jwt decode @response.json --json'],
  });
}

async function runDecode(base: Context, command: Command, given: readonly string[]): Promise<void> {
  const keepsNoTokens = !given.some((argument) => argument.startsWith('@last'));
  const session = await openSession(base, command, { withoutProfile: keepsNoTokens });
  const { ctx, reporter } = session;
  const keys = await readOpeners(session, command);
  const results: Result[] = [];
  for (const argument of listArguments(session, given)) {
    results.push(...(await decodeText(await readText(session, argument), keys)));
  }
  ctx.redactor.know(...results.map(({ found }) => found.token));
  for (const { found, decoded } of results) {
    const whose = results.length > 1 && found.name !== undefined ? `${found.name}: ` : '';
    for (const warning of [...(found.repairs ?? []), ...(decoded?.warnings ?? [])])
      reporter.warning(`${whose}${printable(warning)}`);
    if (found.isSdJwt) reporter.warning('it is an SD-JWT; its disclosures are not shown');
  }
  reporter.warning('NOTHING WAS VERIFIED: anyone can have written this; "oauthctl jwt verify" checks it');
  const documents = results.map(buildDocument);
  printResult(session, documents.length === 1 ? documents[0] : documents, () =>
    renderDecoded(
      results.map((result) => shown(result, ctx.redactor)),
      { paint: reporter.paint, now: ctx.clock.now() },
    ),
  );
}

function listArguments({ ctx }: Session, given: readonly string[]): readonly string[] {
  if (given.length > 0) return given;
  if (!ctx.io.stdinIsTerminal) {
    ctx.claimStdin('the token');
    return ['-'];
  }
  throw new UsageError('token_missing', 'there is no token to decode', {
    hint: 'Give it as an argument, as @FILE, as @last.access_token, or on standard input.',
  });
}

/** `@last` alone is the complete kept token response. */
async function readText(session: Session, argument: string): Promise<string> {
  if (argument !== '@last') return readTokenText(session, argument);
  const kept = await (await session.ctx.store()).tokens.last(storageName(session));
  if (kept !== undefined) return stringifyJson(kept.response);
  throw new UsageError('nothing_kept', 'no tokens are kept for this profile', {
    hint: 'Request tokens first: the last tokens of each profile are kept. "oauthctl token list" shows them.',
  });
}

async function readOpeners(session: Session, command: Command): Promise<DecryptionKeys> {
  const { ctx, globals } = session;
  const { secret: reference } = command.opts<{ secret?: string }>();
  const secret = await readSecret(session, reference);
  if (globals.key === undefined) return { secret };
  return { secret, keys: (await readKeyFile(ctx, globals.key)).keys };
}

/** Every token in a text. @throws ValidationError `not_a_jwt` if none of them is a JWT */
async function decodeText(text: string, keys: DecryptionKeys): Promise<readonly Result[]> {
  const { decodeToken } = await import('../../protocol/jose/jwt-decoding.ts');
  const results: Result[] = [];
  for (const found of findTokens(text)) {
    results.push({ found, decoded: await decodeToken(found.token, keys) });
  }
  if (results.some(({ decoded }) => decoded !== undefined)) return results;
  // A value with the name of a token is the token; otherwise the whole text is.
  const named = results.find(({ found }) => found.name !== undefined);
  const { looksLike, hint } = describeShape(named?.found.token ?? text.trim());
  throw new ValidationError('not_a_jwt', `this is not a JWT; it looks like ${looksLike}`, { hint });
}

/** Builds what `--json` prints for one token. */
function buildDocument({ found, decoded }: Result) {
  const name = found.name === undefined ? {} : { name: found.name };
  if (decoded === undefined) {
    const { looksLike } = describeShape(found.token);
    return { ...name, header: null, claims: null, verified: false, looks_like: looksLike };
  }
  const { header, claims = null, payload, nestedHeaders, isEncrypted, warnings } = decoded;
  return {
    ...name,
    header,
    claims,
    ...(payload !== undefined && { payload }),
    ...(nestedHeaders.length > 0 && { nested_headers: nestedHeaders }),
    encrypted: isEncrypted,
    verified: false,
    warnings,
  };
}

function shown({ found, decoded }: Result, { showSecrets }: { readonly showSecrets: boolean }): ShownJwt {
  const name = found.name === undefined ? [] : [found.name];
  if (decoded === undefined)
    return { title: [...name, describeShape(found.token).looksLike].join(' · '), sections: [] };
  const { header, payload, nestedHeaders, isEncrypted } = decoded;
  const claims = decoded.claims && (showSecrets ? decoded.claims : maskClaims(decoded.claims));
  const kind = `${isEncrypted ? 'JWE' : 'JWS'} ${typeof header.alg === 'string' ? header.alg : 'without alg'}`;
  return {
    title: [...name, kind, 'not verified'].join(' · '),
    sections: [
      { name: 'header', members: listParameters(header) },
      ...nestedHeaders.map((nested) => ({
        name: 'header of the JWT inside',
        members: listParameters(nested),
      })),
      ...(claims === undefined ? [] : [{ name: 'claims', members: listClaims(claims) }]),
    ],
    payload,
  };
}

function listParameters(header: DecodedToken['header']): readonly ShownMember[] {
  return Object.entries(header).map(([name, value]) => ({
    name,
    value,
    text: readNumberText(header, name),
    meaning: describeParameter(name),
  }));
}

function listClaims(claims: Readonly<Record<string, unknown>>): readonly ShownMember[] {
  return Object.entries(claims).map(([name, value]) => ({
    name,
    value,
    text: readNumberText(claims, name),
    meaning: describeClaim(name),
    isTime: TIME_CLAIMS.includes(name),
  }));
}

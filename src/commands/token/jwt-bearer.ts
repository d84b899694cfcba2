import { UsageError } from '../../errors.ts';
import { JWT_BEARER_GRANT } from '../../protocol/definitions/grants/jwt-bearer.ts';
import { makeJti } from '../../protocol/unguessable.ts';
import { requireIssuer } from '../../session/issuer.ts';
import { parseSeconds, setClaim } from '../../session/option-values.ts';
import { createRepeatableOption } from '../../session/options.ts';
import { readParameters } from '../../session/parameters.ts';
import { readKeyFile } from '../../session/read-keys.ts';
import type { Session } from '../../session/session.ts';
import type { GrantHook } from './grant.ts';

/** The lifetime of an assertion, in seconds. */
const DEFAULT_LIFETIME = '60';

/** The options for making an assertion. */
interface MakingFlags {
  readonly assertionKey?: string;
  readonly assertionKid?: string;
  readonly assertionAlg?: string;
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string;
  readonly claim?: readonly string[];
  readonly lifetime?: string;
}

/** `oauthctl token jwt-bearer` */
export const JWT_BEARER: GrantHook = {
  define(command) {
    command
      .option(
        '--assertion-key <file>',
        'create the assertion, signed with this private key: PEM, JWK or JWK Set',
      )
      .option('--assertion-kid <kid>', 'the key of a JWK Set, or the kid to send')
      .option('--assertion-alg <alg>', 'the signing algorithm')
      .option('--iss <issuer>', 'the issuer (iss) of the assertion (default: the client id)')
      .option('--sub <subject>', 'the subject (sub) of the assertion: the user of the tokens')
      .option('--aud <audience>', 'the audience (aud) of the assertion (default: the issuer of the server)')
      .addOption(
        createRepeatableOption(
          '--claim <name=value>',
          'an additional claim; the value is JSON, else text; null removes a claim',
        ),
      )
      .option('--lifetime <seconds>', `the lifetime of the created assertion (default: ${DEFAULT_LIFETIME})`);
  },

  async read(session, command) {
    const { assertion: reference, ...flags } = command.opts<MakingFlags & { assertion?: string }>();
    if (reference !== undefined) checkReadyMade(flags);
    const values = await readParameters(session, command, JWT_BEARER_GRANT.parameters);
    return { ...values, assertion: values.assertion ?? (await makeAssertion(session, flags)) };
  },
};

/** @throws UsageError `assertion_ready_made` if an option would have no effect */
function checkReadyMade(flags: MakingFlags): void {
  const { assertionKey, assertionKid, assertionAlg, iss, sub, aud, claim, lifetime } = flags;
  const making = [assertionKey, assertionKid, assertionAlg, iss, sub, aud, claim, lifetime];
  if (making.every((flag) => flag === undefined)) return;
  throw new UsageError(
    'assertion_ready_made',
    '--assertion is sent unchanged, and excludes options for creating an assertion',
    {
      hint: 'Omit --assertion to create one, or omit the other options.',
    },
  );
}

/** @throws UsageError `assertion_missing`, `claim_missing`, `claim_invalid`; as parseKeys and buildJwtBearerAssertion */
async function makeAssertion({ ctx, settings }: Session, flags: MakingFlags): Promise<string> {
  const { assertionKey: file, assertionKid, assertionAlg: alg, iss, sub: subject, aud } = flags;
  if (file === undefined) {
    throw new UsageError('assertion_missing', 'the assertion is missing', {
      hint: 'Give --assertion REF, or --assertion-key FILE and --sub SUBJECT to create one.',
    });
  }
  const claims = parseClaims(flags.claim ?? []);
  if (subject === undefined && !('sub' in claims)) {
    throw new UsageError('claim_missing', 'the subject of the assertion is missing', {
      hint: 'Give --sub SUBJECT; --claim sub=null omits it.',
    });
  }
  const issuer = iss ?? settings.require('clientId', 'the client');
  // The issuer identifier of the server, which its metadata must contain.
  const audience = aud ?? settings.get('acceptIssuer') ?? requireIssuer(settings);
  const lifetime = parseSeconds(flags.lifetime ?? DEFAULT_LIFETIME, '--lifetime');
  const [{ selectSigningKey }, { buildJwtBearerAssertion }] = await Promise.all([
    import('../../protocol/jose/key.ts'),
    import('../../protocol/oauth/jwt-bearer-assertion.ts'),
  ]);
  const keys = await readKeyFile(ctx, file);
  const key = selectSigningKey(keys, file, assertionKid, '--assertion-kid');
  const jti = makeJti(ctx.random);
  const assertion = await buildJwtBearerAssertion({
    ...{ issuer, subject, audience, claims, lifetime, jti, key, alg },
    now: ctx.clock.now(),
  });
  ctx.redactor.know(assertion);
  return assertion;
}

/** Reads `--claim NAME=VALUE`s. @throws UsageError `claim_invalid` */
function parseClaims(texts: readonly string[]): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError('claim_invalid', `--claim takes NAME=VALUE; "${text}" is invalid`);
    setClaim(claims, text.slice(0, at), text.slice(at + 1));
  }
  return claims;
}

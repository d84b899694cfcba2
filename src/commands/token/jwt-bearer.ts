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

/** Seconds that an assertion of ours is valid. */
const DEFAULT_LIFETIME = '60';

/** What an assertion is made of. */
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
        'or make one, signed with this private key: PEM (PKCS#8), JWK or JWK Set',
      )
      .option('--assertion-kid <kid>', 'which key of a JWK Set, or the kid to send')
      .option('--assertion-alg <alg>', 'what it is signed with')
      .option('--iss <issuer>', 'who makes the assertion (default: the client id)')
      .option('--sub <subject>', 'whom the tokens are to be about')
      .option('--aud <audience>', 'whom the assertion is for (default: the issuer of the server)')
      .addOption(
        createRepeatableOption(
          '--claim <name=value>',
          'a further claim, its value JSON or else text; null leaves a claim out',
        ),
      )
      .option(
        '--lifetime <seconds>',
        `how long the assertion that is made is valid (default: ${DEFAULT_LIFETIME})`,
      );
  },

  async read(session, command) {
    const { assertion: reference, ...flags } = command.opts<MakingFlags & { assertion?: string }>();
    if (reference !== undefined) checkReadyMade(flags);
    const values = await readParameters(session, command, JWT_BEARER_GRANT.parameters);
    return { ...values, assertion: values.assertion ?? (await makeAssertion(session, flags)) };
  },
};

/** @throws UsageError `assertion_ready_made` where an option could have no effect */
function checkReadyMade(flags: MakingFlags): void {
  const { assertionKey, assertionKid, assertionAlg, iss, sub, aud, claim, lifetime } = flags;
  const making = [assertionKey, assertionKid, assertionAlg, iss, sub, aud, claim, lifetime];
  if (making.every((flag) => flag === undefined)) return;
  throw new UsageError('assertion_ready_made', 'what is in --assertion is sent as it is', {
    hint: 'Leave it out to make an assertion, or leave out what one is made of.',
  });
}

/** @throws UsageError `assertion_missing`, `claim_missing`, `claim_invalid`; as parseKeys and buildJwtBearerAssertion */
async function makeAssertion({ ctx, settings }: Session, flags: MakingFlags): Promise<string> {
  const { assertionKey: file, assertionKid, assertionAlg: alg, iss, sub: subject, aud } = flags;
  if (file === undefined) {
    throw new UsageError('assertion_missing', 'there is no assertion', {
      hint: 'Give --assertion REF, or --assertion-key FILE and --sub SUBJECT to make one.',
    });
  }
  const claims = parseClaims(flags.claim ?? []);
  if (subject === undefined && !('sub' in claims)) {
    throw new UsageError('claim_missing', 'whom the tokens are to be about is not known', {
      hint: 'Give --sub SUBJECT; --claim sub=null leaves it out.',
    });
  }
  const issuer = iss ?? settings.require('clientId', 'the client');
  // What the server calls itself: its metadata must say the same.
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

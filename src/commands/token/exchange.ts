import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { EXCHANGE_GRANT, TOKEN_TYPES } from '../../protocol/definitions/grants/exchange.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import type { TokenResponse } from '../../protocol/oauth/token.ts';
import { buildTokenExchange, readTokenType } from '../../protocol/oauth/token-exchange.ts';
import { type ReadValues, readParameters } from '../../session/parameters.ts';
import { readReuse } from '../../session/reuse.ts';
import { type Session, storageName } from '../../session/session.ts';
import type { TokenName } from '../../session/token-argument.ts';
import { type GrantHook, sendRequest } from './grant.ts';

/** The options that are not parameters of the request. */
interface ExchangeFlags {
  readonly subjectToken: string;
  readonly subjectTokenType?: string;
  readonly actorToken?: string;
  readonly actorTokenType?: string;
  readonly requestedTokenType?: string;
}

/** `oauthctl token exchange` */
export const TOKEN_EXCHANGE: GrantHook = {
  async read(session, command) {
    const flags = command.opts<ExchangeFlags>();
    checkFlags(session, command, flags);
    const types = readTypes(flags);
    const { subject_token, actor_token, audience, resource, scope } = await readParameters(
      session,
      command,
      EXCHANGE_GRANT.parameters,
      {
        subject_token: namesOfType(types.subject_token_type),
        actor_token: namesOfType(types.actor_token_type),
      },
    );
    return {
      ...buildTokenExchange({ ...types, subject_token, actor_token, audience, resource, scope }),
    };
  },

  async send(session, request, onEvent) {
    const { target, values } = request;
    const { subject_token, actor_token, audience } = values as ReadValues<
      (typeof EXCHANGE_GRANT)['parameters']
    >;
    const [{ keptKeyOfToken }, store] = await Promise.all([
      import('../../flows/token/kept-tokens.ts'),
      session.ctx.store(),
    ]);
    // For a token that is bound to a key, the request needs a proof of this key.
    const subjectKey = keptKeyOfToken(await store.tokens.last(storageName(session)), subject_token);
    const granted = await sendRequest(
      session,
      {
        ...request,
        target: target.dpop?.isOwn ? target : { ...target, dpop: subjectKey ?? target.dpop },
        expected: { issuedTo: audience },
      },
      onEvent,
    );
    warnOfOmissions(session, granted.tokens, actor_token !== undefined);
    return granted;
  },
};

/** @throws UsageError `reuse_of_last` */
function checkFlags(session: Session, command: Command, { subjectToken }: ExchangeFlags): void {
  if (subjectToken.startsWith('@last.') && readReuse(session, command) !== undefined) {
    throw new UsageError('reuse_of_last', 'the new token would replace the kept subject token', {
      hint: 'With --reuse, give a --subject-token that is not replaced: @FILE or -.',
    });
  }
}

/** @throws UsageError `token_type_unknown` */
function readTypes(flags: ExchangeFlags) {
  const { subjectToken, actorToken, subjectTokenType, actorTokenType, requestedTokenType } = flags;
  const type = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : readTokenType(text, flag);
  const ofActor = actorToken === undefined ? undefined : typeOfReference(actorToken);
  return {
    subject_token_type: readTokenType(
      subjectTokenType ?? typeOfReference(subjectToken),
      '--subject-token-type',
    ),
    actor_token_type: type(actorTokenType ?? ofActor, '--actor-token-type'),
    requested_token_type: type(requestedTokenType, '--requested-token-type'),
  };
}

/** Warns about members that the response should have. */
function warnOfOmissions(
  { reporter }: Session,
  { access_token, json }: TokenResponse,
  hasActor: boolean,
): void {
  for (const name of ['issued_token_type', 'token_type']) {
    if (typeof json[name] !== 'string')
      reporter.warning(`the response lacks ${name}, which RFC 8693 requires`);
  }
  const claims = decodeUnverified(access_token)?.claims;
  if (hasActor && claims !== undefined && claims.act === undefined)
    reporter.warning('the new token has no "act" claim: the server ignored the actor token');
}

/** Returns which tokens of a token response have a type. @see https://www.rfc-editor.org/rfc/rfc8693#section-3 */
function namesOfType(type: string | undefined): readonly TokenName[] {
  const named = (['access_token', 'refresh_token', 'id_token'] as const).filter(
    (name) => TOKEN_TYPES[name] === type,
  );
  return named.length > 0 ? named : ['access_token', 'id_token'];
}

/** Returns the type of a reference such as `@last.id_token`. */
function typeOfReference(reference: string): string {
  return /^@last\.(\w+)$/.exec(reference)?.[1] ?? 'access_token';
}

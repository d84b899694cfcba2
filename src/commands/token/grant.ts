import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import type { Target } from '../../flows/server/target.ts';
import type { GrantedTokens, TokenEvent, TokenOptions } from '../../flows/token/token.ts';
import type { Grant } from '../../protocol/definitions/grants/index.ts';
import type { ParameterValues } from '../../protocol/oauth/form.ts';
import { connect } from '../../session/connect.ts';
import { addParameterOptions, readParameters, splitCredentials } from '../../session/parameters.ts';
import { readReuse, requestOrReuse } from '../../session/reuse.ts';
import { openSession, type Session } from '../../session/session.ts';
import type { TokenFlags } from '../../session/token-request.ts';

/** The parts of a grant that its definition cannot describe. */
export interface GrantHook {
  /** Adds options that are not parameters of the request. */
  define?(command: Command): void;
  /**
   * Reads the parameters, except credentials.
   * @throws UsageError if options exclude each other
   */
  read?(session: Session, command: Command): Promise<ParameterValues>;
  /** Sends the token request. */
  send?(
    session: Session,
    request: TokenOptions,
    onEvent: (event: TokenEvent) => void,
  ): Promise<GrantedTokens>;
}

/** Defines the command of a grant that is one token request. */
export function defineGrant(command: Command, ctx: Context, grant: Grant, hook: GrantHook = {}): void {
  addParameterOptions(command, grant.parameters);
  hook.define?.(command);
  command.action(() => runGrant(ctx, command, grant, hook));
}

async function runGrant(base: Context, command: Command, grant: Grant, hook: GrantHook): Promise<void> {
  const session = await openSession(base, command);
  const { keep } = command.opts<TokenFlags>();
  const { grantType, parameters } = grant;
  const { request, credentials } = splitCredentials(parameters);
  const values = await (hook.read?.(session, command) ?? readParameters(session, command, request));
  const readCredentials = () => readParameters(session, command, credentials);
  // Read before the server is contacted; with --reuse only if a request is sent.
  const early = readReuse(session, command) === undefined ? await readCredentials() : undefined;
  const send = hook.send ?? sendRequest;
  await requestOrReuse(session, command, {
    grantType,
    definitions: parameters,
    values,
    connect: () => connect(session, { keepTokens: keep }),
    async request(target: Target, onEvent) {
      const all = { ...values, ...(early ?? (await readCredentials())) };
      return send(session, { target, grantType, values: all }, onEvent);
    },
  });
}

/** Sends one token request. */
export async function sendRequest(
  session: Session,
  request: TokenOptions,
  onEvent: (event: TokenEvent) => void,
): Promise<GrantedTokens> {
  const { requestTokens } = await import('../../flows/token/token.ts');
  return requestTokens(session.ctx, request, onEvent);
}

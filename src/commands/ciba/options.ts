import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import type { CibaDeviceOptions, Decision, DelegationSummary, DeviceRule } from '../../flows/ciba/device.ts';
import { type AuthenticationRequest, buildAuthenticationRequest } from '../../protocol/ciba/ciba.ts';
import { isLoopbackHost } from '../../protocol/loopback.ts';
import { parseListenAddress } from '../../servers/listen-address.ts';
import { parseCount, parseSeconds } from '../../session/option-values.ts';
import type { Session } from '../../session/session.ts';
import { readTokenReference, type TokenName } from '../../session/token-argument.ts';
import { describeDelegation } from '../../steps/ciba-steps.ts';

export interface CibaRequestFlags {
  readonly loginHint?: string;
  readonly loginHintToken?: string;
  readonly idTokenHint?: string;
  readonly bindingMessage?: string;
  readonly acrValues?: string;
  readonly userCode?: string;
  readonly requestedExpiry?: string;
}

export interface PollFlags {
  readonly interval?: string;
  readonly deadline?: string;
  readonly once?: true;
  readonly keep: boolean;
}

interface DeviceFlags {
  readonly approve?: true;
  readonly deny?: true;
  readonly cancel?: true;
  readonly ignore?: true;
  readonly hold?: true;
  readonly after?: string;
  readonly respond?: string;
}

const RULES = ['approve', 'deny', 'cancel', 'ignore', 'hold'] as const;
const DEFAULT_DEVICE_PATH = '/api/v1/auth';

/** Reads the parameters of the authentication request; on a terminal a missing hint is asked for. */
export async function readRequest(
  session: Session,
  options: CibaRequestFlags,
): Promise<AuthenticationRequest> {
  const { settings } = session;
  const otherHint = options.loginHintToken !== undefined || options.idTokenHint !== undefined;
  // The profile's default steps back when another hint is given by hand.
  const loginHint = otherHint ? options.loginHint : (settings.get('loginHint') ?? options.loginHint);
  const asked =
    loginHint === undefined && !otherHint && session.mayAsk
      ? await (await session.ctx.prompt()).text('Who should be asked (login_hint)?')
      : loginHint;
  const token = async (reference: string | undefined, ...wanted: TokenName[]) =>
    reference === undefined ? undefined : readTokenReference(session, reference, wanted);
  const request: AuthenticationRequest = {
    scope: settings.get('scope') ?? 'openid',
    login_hint: asked,
    login_hint_token: await token(options.loginHintToken, 'login_hint_token'),
    id_token_hint: await token(options.idTokenHint, 'id_token'),
    binding_message: options.bindingMessage,
    acr_values: options.acrValues,
    user_code: options.userCode === undefined ? undefined : await session.ctx.secret(options.userCode),
    requested_expiry: options.requestedExpiry === undefined ? undefined : Number(options.requestedExpiry),
  };
  // A wrong hint is said before any server is asked.
  buildAuthenticationRequest(request);
  return request;
}

/** Reads which errors mean "still pending", and whether they were named for this command rather than by the profile. */
export function readPendingErrors({ settings }: Session): {
  readonly errors: readonly string[] | undefined;
  readonly isOwn: boolean;
} {
  const setting = settings.find('pendingError');
  const errors = setting?.value.split(/[\s,]+/).filter(Boolean);
  return { errors, isOwn: setting?.source === 'flag' || setting?.source === 'environment' };
}

export interface ReadDeviceOptions
  extends Pick<CibaDeviceOptions, 'listen' | 'rule' | 'afterMs' | 'respond' | 'ask'> {
  readonly after: 'acknowledged' | 'pending';
}

/**
 * Reads the device's rule and address.
 * @param fallback the rule where none is named and nobody can be asked; undefined makes that an error
 * @throws UsageError `rule_ambiguous`; `rule_missing` where nobody can be asked; `listen_invalid`, `seconds_invalid`, `status_invalid`
 */
export function readDeviceOptions(
  session: Session,
  command: Command,
  fallback?: DeviceRule,
): ReadDeviceOptions {
  const flags = command.opts<DeviceFlags>();
  const named = RULES.filter((rule) => flags[rule]);
  if (named.length > 1) {
    throw new UsageError(
      'rule_ambiguous',
      `${named.map((rule) => `--${rule}`).join(' and ')} exclude each other`,
    );
  }
  const rule = named[0] ?? (session.mayAsk || flags.respond !== undefined ? 'ask' : fallback);
  if (rule === undefined) {
    throw new UsageError('rule_missing', 'the device has nobody to ask: this is no terminal', {
      hint: 'Name a rule: --approve, --deny, --cancel, --ignore or --hold.',
    });
  }
  const listen = parseListenAddress(session.settings.get('deviceListen') ?? '', DEFAULT_DEVICE_PATH);
  if (!isLoopbackHost(listen.host)) {
    session.reporter.warning(`${listen.host} is not the loopback interface: others can reach the device`);
  }
  return {
    listen,
    rule,
    after: flags.after === 'pending' ? 'pending' : 'acknowledged',
    afterMs:
      flags.after === undefined || flags.after === 'pending'
        ? undefined
        : parseSeconds(flags.after, '--after') * 1000,
    respond: parseCount(flags.respond, '--respond', { min: 200, max: 599, code: 'status_invalid' }),
    ask: askAtTerminal(session),
  };
}

function askAtTerminal(
  session: Session,
): (summary: DelegationSummary, signal: AbortSignal) => Promise<Decision> {
  return async (summary, signal) => {
    const prompt = await session.ctx.prompt();
    const more = summary.waiting > 0 ? ` (${summary.waiting} more waiting)` : '';
    return session.reporter.undisturbed(() =>
      prompt.choose<Decision>(
        `${describeDelegation(summary)}${more}`,
        [
          { value: 'approve', label: 'approve' },
          { value: 'deny', label: 'deny' },
          { value: 'cancel', label: 'cancel' },
        ],
        signal,
      ),
    );
  };
}

/** Says whether a rule of the device was named. */
export function namesRule(command: Command): boolean {
  const flags = command.opts<DeviceFlags>();
  return RULES.some((rule) => flags[rule]) || flags.respond !== undefined || flags.after !== undefined;
}

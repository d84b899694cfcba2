import { type Endpoint, RefusedError } from '../errors.ts';
import type { CibaDeviceEvent, DelegationSummary } from '../flows/ciba/device.ts';
import type { CibaStartEvent } from '../flows/ciba/start.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { mask } from '../redact.ts';
import { reportPoll } from './poll-steps.ts';
import { reportRequest } from './request-steps.ts';
import { warnOfRemarks } from './step-lines.ts';

const REFUSED_STEP: Partial<Record<Endpoint, readonly [mark: string, parties: string]>> = {
  backchannel_authentication: ['②', 'server → client'],
  token: ['⑨⑩', 'client → server'],
  ciba_callback: ['⑧', 'server → device'],
};

/** Reports the ten steps of CIBA as they happen, with the error descriptions of the server. */
export class CibaSteps {
  readonly #reporter: Reporter;
  #user: string | undefined;

  constructor(reporter: Reporter, user?: string) {
    this.#reporter = reporter;
    this.#user = user;
  }

  /** Reports one event. */
  readonly report = (event: CibaStartEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'authentication_request': {
        const { url, request, target } = event;
        this.#user = request.login_hint;
        reportRequest(reporter, { mark: '①', url, as: target.client, values: request });
        return;
      }
      case 'acknowledged': {
        const { acknowledgement, interval, expiryNotGranted, ms } = event;
        const text = `auth_req_id ${mask(acknowledgement.auth_req_id)} · expires in ${inWords(acknowledgement.expires_in)} · poll every ${interval} s`;
        reporter.step({ mark: '②', parties: 'server → client', status: 200, text, ms, tone: 'good' });
        warnOfRemarks(reporter, 'the acknowledgement', acknowledgement.remarks);
        if (expiryNotGranted !== undefined) {
          const granted = `granted: ${acknowledgement.expires_in} s`;
          reporter.note(`asked for and not granted: requested_expiry ${expiryNotGranted} s · ${granted}`);
        }
        return;
      }
      default:
        if (isDeviceEvent(event)) reportDeviceEvent(reporter, event);
        else
          reportPoll(reporter, event, {
            pending: '⑤⑥',
            tokens: '⑨⑩',
            waitingFor: this.#user ?? 'the result',
          });
    }
  };

  /** Reports the refusal that ended the flow, under the step where it happened. */
  failed(error: unknown): void {
    this.#reporter.settle();
    if (!(error instanceof RefusedError)) return;
    const [mark, parties] = REFUSED_STEP[error.oauth.endpoint] ?? [];
    if (mark === undefined || parties === undefined) return;
    this.#reporter.step({
      mark,
      parties,
      status: error.oauth.status,
      text: printable(error.oauth.error),
      tone: 'bad',
    });
  }
}

const DEVICE_EVENTS: Readonly<Record<CibaDeviceEvent['type'], true>> = {
  device_listening: true,
  delegated: true,
  delegation_answered: true,
  delegation_refused: true,
  decided: true,
  result_too_early: true,
  result_sent: true,
  result_accepted: true,
  result_failed: true,
};

function isDeviceEvent(event: CibaStartEvent): event is CibaDeviceEvent {
  return event.type in DEVICE_EVENTS;
}

function reportDeviceEvent(reporter: Reporter, event: CibaDeviceEvent): void {
  switch (event.type) {
    case 'device_listening':
      reporter.note(`device listens on ${event.url} · ${describeRule(event.rule)}`);
      return;
    case 'delegated':
      reporter.step({
        mark: '③',
        parties: 'server → device',
        text: `POST ${event.url}`,
        details: [describeDelegation(event.summary)],
      });
      return;
    case 'delegation_answered':
      reporter.step({ mark: '④', parties: 'device → server', status: event.status, text: '' });
      return;
    case 'delegation_refused':
      reporter.warning(`a delegation was refused with ${event.status}: ${printable(event.reason)}`);
      return;
    case 'decided':
      if (event.decision === 'ignore') reporter.note('ignored: no result will be sent');
      if (event.decision === 'hold')
        reporter.note('held: send the result with "oauthctl ciba callback succeed"');
      return;
    case 'result_too_early':
      reporter.note('the server had not stored the request yet · sending the result again in 1 s');
      return;
    case 'result_sent':
      reporter.step({ mark: '⑦', parties: 'device → server', text: event.status });
      return;
    case 'result_accepted':
      reporter.step({
        mark: '⑧',
        parties: 'server → device',
        status: event.httpStatus,
        text: '',
        ms: event.ms,
        tone: 'good',
      });
      return;
    case 'result_failed':
      reporter.warning(printable(event.error.message));
      if (event.error.hint) reporter.note(event.error.hint);
      return;
  }
}

/** Describes the user, client and scope of a delegation on one line. */
export function describeDelegation(summary: DelegationSummary): string {
  const { user, client, scope, bindingMessage, acrValues, consentRequired } = summary;
  return [
    `user ${user ?? 'unknown'}`,
    client && `client ${client}`,
    scope && `scope ${scope}`,
    acrValues && `acr ${acrValues}`,
    consentRequired && 'consent required',
    bindingMessage && `"${bindingMessage}"`,
  ]
    .filter((part): part is string => typeof part === 'string')
    .map((part) => printable(part))
    .join(' · ');
}

function describeRule(rule: string): string {
  const rules: Record<string, string> = {
    ask: 'asks you',
    approve: 'approves automatically',
    deny: 'denies automatically',
    cancel: 'cancels automatically',
    ignore: 'answers 201 and sends no result',
    hold: 'keeps delegations for "oauthctl ciba callback"',
  };
  return rules[rule] ?? rule;
}

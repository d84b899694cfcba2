import type { DeviceAuthorizationEvent } from '../flows/token/device-authorization.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { mask } from '../redact.ts';
import { reportPoll } from './poll-steps.ts';
import { reportAnswer, reportRefusal, reportRequest } from './request-steps.ts';
import { warnOfRemarks } from './step-lines.ts';

/** Reports the steps of the device authorization grant, and shows the URL and the user code. */
export class DeviceGrantSteps {
  readonly #reporter: Reporter;
  readonly #write: (text: string) => void;
  readonly #drawQrCode: ((url: string) => string | undefined) | undefined;

  /**
   * @param write to stderr; the code is shown also with `--quiet`, since the grant cannot continue without it
   * @param drawQrCode of a URL; absent if stderr is not a terminal
   */
  constructor(
    reporter: Reporter,
    write: (text: string) => void,
    drawQrCode?: (url: string) => string | undefined,
  ) {
    this.#reporter = reporter;
    this.#write = write;
    this.#drawQrCode = drawQrCode;
  }

  /** Reports one event. */
  readonly report = (event: DeviceAuthorizationEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'device_authorization_request':
        reportRequest(reporter, { url: event.url, as: event.target.client, values: event.request });
        return;
      case 'device_authorization': {
        const { authorization, interval, ms } = event;
        const text = `device_code ${mask(authorization.device_code)} · expires in ${inWords(authorization.expires_in)} · poll every ${interval} s`;
        reportAnswer(reporter, { status: 200, text, ms });
        warnOfRemarks(reporter, 'the device authorization response', authorization.remarks);
        this.#write(this.#invitation(event));
        return;
      }
      default:
        reportPoll(reporter, event, { pending: '', tokens: '', waitingFor: 'the person' });
    }
  };

  /** Reports the refusal that ended the flow. */
  failed(error: unknown): void {
    this.#reporter.settle();
    reportRefusal(this.#reporter, error, 'device_authorization', 'token');
  }

  #invitation({
    authorization,
  }: Extract<DeviceAuthorizationEvent, { type: 'device_authorization' }>): string {
    const { bold } = this.#reporter.paint;
    const { verification_uri, verification_uri_complete, user_code } = authorization;
    const lines = [
      `Open ${bold(printable(verification_uri))}`,
      `and enter the code ${bold(printable(user_code))}`,
      ...(verification_uri_complete === undefined ? [] : [`or open ${printable(verification_uri_complete)}`]),
    ];
    const picture = this.#drawQrCode?.(verification_uri_complete ?? verification_uri);
    return `\n${lines.map((line) => `    ${line}\n`).join('')}\n${picture === undefined ? '' : `${picture}\n\n`}`;
  }
}

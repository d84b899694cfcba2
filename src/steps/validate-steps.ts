import type { ValidateEvent } from '../flows/validation/validate.ts';
import type { WatchEvent } from '../flows/validation/validate-watch.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { spanInWords, verdictInWords } from '../output/validation.ts';
import { reportAnswer, reportRequest } from './request-steps.ts';

/** Reports one step of a validation of the token. */
export function reportValidation(reporter: Reporter, event: ValidateEvent): void {
  switch (event.type) {
    case 'keys_request':
      if (event.url !== undefined)
        reportRequest(reporter, { method: 'GET', url: event.url, as: 'the keys for local validation' });
      return;
    case 'keys_response':
      reportAnswer(reporter, {
        status: 200,
        text: event.count === 1 ? '1 key' : `${event.count} keys`,
        ms: event.ms,
      });
      return;
    case 'introspection_request':
      reportRequest(reporter, { url: event.url, as: event.target.client, values: event.values });
      return;
    case 'introspection_response': {
      const { active } = event.introspection;
      reportAnswer(reporter, {
        status: 200,
        text: active ? 'active' : 'inactive',
        ms: event.ms,
        isGood: active,
      });
    }
  }
}

/** Reports a change while watching, and the current state between changes. @param startedAt milliseconds since the epoch */
export function reportWatch(reporter: Reporter, event: WatchEvent, startedAt: number): void {
  const { paint } = reporter;
  switch (event.type) {
    case 'verdict_changed': {
      const { at, way, verdict } = event.event;
      const reason = event.reason === undefined ? '' : ` · ${printable(event.reason)}`;
      const time = `${new Date(at).toISOString()}  +${spanInWords(at - startedAt)}`;
      reporter.note(
        `${time}  ${way === 'local' ? 'local check' : 'introspection'} ${verdictInWords(verdict, paint)}${reason}`,
      );
      return;
    }
    case 'watching': {
      const { verdicts, expiresInMs } = event;
      const expiry =
        expiresInMs === undefined ? '' : ` · expires in ${inWords(Math.ceil(expiresInMs / 1000))}`;
      reporter.live(
        `local check ${verdictInWords(verdicts.local, paint)} · introspection ${verdictInWords(verdicts.introspection, paint)}${expiry}`,
      );
      return;
    }
    case 'watch_interrupted':
      reporter.settle();
  }
}

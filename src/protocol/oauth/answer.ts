import { type Endpoint, NetworkError, type OAuthRefusal } from '../../errors.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';

/** What `protocol` needs of an HTTP answer. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer that has been classified before anyone trusts it. */
export type ClassifiedAnswer =
  | { readonly kind: 'ok'; readonly json: JsonObject }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal; readonly json: JsonObject }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Sorts an answer into success, OAuth error, or something that is not the protocol. The JSON member `error`
 * decides, not the status: some servers send 200 with an error in it, others 403 where 400 is specified.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function classifyAnswer(answer: RawAnswer, endpoint: Endpoint): ClassifiedAnswer {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    return { kind: 'foreign', reason: `a redirect (${status}) to ${headers.location ?? 'nowhere'}` };
  }
  const json = parseJsonObject(answer.body);
  if (json === undefined) return { kind: 'foreign', reason: describeForeignBody(answer) };
  if (typeof json.error === 'string' && json.error !== '') {
    return {
      kind: 'refused',
      json,
      oauth: {
        error: json.error,
        error_description: textOrUndefined(json.error_description),
        error_uri: textOrUndefined(json.error_uri),
        status,
        endpoint,
      },
    };
  }
  if (status < 200 || status > 299) {
    return { kind: 'foreign', reason: `status ${status} and JSON without an "error" member` };
  }
  return { kind: 'ok', json };
}

/** The error for an answer that is not the protocol's (exit 5). */
export function foreignAnswer(reason: string, url: string): NetworkError {
  return new NetworkError('not_the_protocol', `${url} answered with ${reason}`, {
    hint: 'Another program, a proxy or a login page may answer there: check the address, and look at the exchange with -v.',
    maybeHandled: true,
  });
}

function describeForeignBody({ status, headers, body }: RawAnswer): string {
  const type = headers['content-type']?.split(';')[0]?.trim();
  if (body.trim() === '') return `status ${status} and an empty body`;
  if (type === 'text/html' || /^\s*<(!doctype|html)/i.test(body)) {
    const title = /<title[^>]*>([^<]{1,80})/i.exec(body)?.[1]?.trim();
    return `status ${status} and an HTML page${title ? ` ("${title}")` : ''} instead of JSON`;
  }
  return `status ${status} and ${type ?? 'a body without a type'} that is not a JSON object`;
}

function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

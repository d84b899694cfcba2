import { type Endpoint, NetworkError, type OAuthRefusal } from '../../errors.ts';
import { isTooDeep } from '../../json-scan.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';
import { isHtml, type RawAnswer, readJsonRefusal, readOtherRefusal } from './refusal-forms.ts';
import { recognizeProduct } from './server-product.ts';

export type { RawAnswer } from './refusal-forms.ts';

/** The classification of an answer. */
export type ClassifiedAnswer =
  | { readonly kind: 'ok'; readonly json: JsonObject }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal; readonly json: JsonObject }
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Classifies an answer as a success, a refusal, or an answer that is not of the protocol. The JSON member `error` decides,
 * not the status: some servers send 200 with an error, others 403 instead of 400. Refusals in other forms than that of
 * RFC 6749 are read as far as possible.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
export function classifyAnswer(answer: RawAnswer, endpoint: Endpoint): ClassifiedAnswer {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    return { kind: 'foreign', reason: `${REDIRECT} (${status}) to ${headers.location ?? 'nowhere'}` };
  }
  const json = parseJsonObject(answer.body);
  const stated = json === undefined ? readOtherRefusal(answer) : readJsonRefusal(json, status);
  if (stated !== undefined) {
    return {
      kind: 'refused',
      json: json ?? {},
      oauth: {
        ...stated,
        status,
        endpoint,
        retry_after: headers['retry-after'],
        product: recognizeProduct(answer),
      },
    };
  }
  if (json === undefined) return { kind: 'foreign', reason: describeForeignBody(answer) };
  return { kind: 'ok', json };
}

const REDIRECT = 'a redirect';

/** Builds the error for an answer that is not of the protocol (exit 5). */
export function buildForeignAnswer(reason: string, url: string): NetworkError {
  const hint = reason.startsWith(REDIRECT)
    ? 'oauthctl does not follow it, because credentials would be sent to another address. If the new address is right, use it in --issuer, or correct the metadata of the server, which has the old one.'
    : 'Another program, a proxy or a login page may have answered: check the address, and look at the exchange with -v.';
  return new NetworkError('not_the_protocol', `${url} answered with ${reason}`, { hint, maybeHandled: true });
}

function describeForeignBody(answer: RawAnswer): string {
  const { status, headers, body } = answer;
  const type = headers['content-type']?.split(';')[0]?.trim();
  if (isTooDeep(body)) return `status ${status} and JSON that is nested too deep to be read`;
  if (body.trim() === '') return `status ${status} and an empty body`;
  if (isHtml(answer)) {
    const title = /<title[^<>]{0,80}>([^<]{1,80})/i.exec(body)?.[1]?.trim();
    return `status ${status} and an HTML page${title ? ` ("${title}")` : ''} instead of JSON`;
  }
  return `status ${status} and ${type ?? 'a body without a type'} that is not a JSON object`;
}

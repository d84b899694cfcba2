import type { OAuthRefusal } from '../../errors.ts';
import { parseJsonObject } from '../json.ts';
import { readErrorPage, readErrorText } from './error-page.ts';
import { type DeclaredParameters, type FormParameters, withoutParameters } from './form.ts';
import {
  findStatusWord,
  isHtml,
  type RawAnswer,
  readJsonRefusal,
  readOtherRefusal,
  readPlainText,
  type StatedRefusal,
} from './refusal-forms.ts';
import { recognizeProduct } from './server-product.ts';

/** The verdict on the answer to a preflight. */
export type PreflightVerdict =
  /** The server has not refused the request so far. */
  | { readonly kind: 'passed'; readonly answered: string }
  | { readonly kind: 'refused'; readonly oauth: OAuthRefusal }
  /** It is not known whether the server would refuse the request of a browser. */
  | { readonly kind: 'unclear'; readonly reason: string };

/** The parameters that a server checks without a user. None of them can be used only once. */
const JUDGED = [
  'client_id',
  'response_type',
  'redirect_uri',
  'scope',
  'code_challenge',
  'code_challenge_method',
];

/** Selects the parameters of a preflight from those of the authorization request. */
export function pickPreflightParameters(parameters: DeclaredParameters): DeclaredParameters {
  return withoutParameters(parameters, listLeftOut(parameters));
}

function listLeftOut(parameters: FormParameters): readonly string[] {
  return parameters.map(([name]) => name).filter((name) => !JUDGED.includes(name));
}

/**
 * Judges the answer to an authorization request without a session.
 * @param url the address that was requested
 * @param parameters those of the authorization request, the ones that the preflight left out included
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
 */
export function classifyPreflight(
  answer: RawAnswer,
  { url, parameters }: { readonly url: string; readonly parameters: FormParameters },
): PreflightVerdict {
  const verdict =
    answer.status >= 300 && answer.status < 400
      ? classifyRedirect(answer, url, parameters)
      : classifyPage(answer);
  if (verdict.kind !== 'refused') return verdict;
  const oauth = { ...verdict.oauth, product: recognizeProduct(answer) };
  const { error, error_description = '' } = oauth;
  const words = `${error} ${error_description}`;
  const concerned = listLeftOut(parameters).find((name) => hasWord(words, name));
  if (concerned === undefined) return { kind: 'refused', oauth };
  return {
    kind: 'unclear',
    reason: `the server refuses it because of "${concerned}", which the preflight does not send`,
  };
}

/** Errors that a browser with a session may not get. */
const NEEDS_SESSION = [
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
];

function classifyRedirect(
  { status, headers }: RawAnswer,
  url: string,
  parameters: FormParameters,
): PreflightVerdict {
  const { location } = headers;
  if (location === undefined || !URL.canParse(location, url))
    return { kind: 'unclear', reason: `it redirects (${status}) without a valid address` };
  const to = new URL(location, url);
  const [, redirectUri] = parameters.find(([name]) => name === 'redirect_uri') ?? [];
  const isRedirectUri = redirectUri !== undefined && isSameAddress(to, redirectUri);
  const response = new URLSearchParams(`${to.search.slice(1)}&${to.hash.slice(1)}`);
  const error = response.get('error');
  const error_description = response.get('error_description') ?? undefined;
  // A login page may have an `error` parameter that is not of the protocol.
  if (error && (isRedirectUri || error_description !== undefined)) {
    if (NEEDS_SESSION.includes(error)) return { kind: 'passed', answered: `${error}, without a session` };
    const error_uri = response.get('error_uri') ?? undefined;
    return { kind: 'refused', oauth: { error, error_description, error_uri, endpoint: 'authorization' } };
  }
  if (isRedirectUri) return { kind: 'passed', answered: 'a redirect to the redirect URI' };
  if (to.origin === new URL(url).origin) return { kind: 'passed', answered: `a redirect to ${to.pathname}` };
  return { kind: 'unclear', reason: `it redirects to ${to.host || to.protocol}` };
}

function isSameAddress(to: URL, redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false;
  const { protocol, host, pathname } = new URL(redirectUri);
  return to.protocol === protocol && to.host === host && to.pathname === pathname;
}

/** Statuses that a browser with a session, or a later request, may not get. */
const UNCLEAR = [405, 406, 407, 408, 425, 429, 502, 503, 504];

function classifyPage(answer: RawAnswer): PreflightVerdict {
  const { status, headers } = answer;
  const stated = readRefusal(answer);
  if (stated === undefined) return { kind: 'passed', answered: 'a page' };
  const challenge = headers['www-authenticate'];
  if (status === 401 && challenge !== undefined)
    return { kind: 'unclear', reason: `it requires HTTP authentication (${challenge.split(' ')[0]})` };
  // A browser may pass a bot protection that this request does not pass.
  if (UNCLEAR.includes(status) || headers['cf-mitigated'] !== undefined) {
    const words = stated.error_description === undefined ? '' : `: ${stated.error_description}`;
    return { kind: 'unclear', reason: `it answered ${status} ${stated.error}${words}` };
  }
  return { kind: 'refused', oauth: { ...stated, status, endpoint: 'authorization' } };
}

function readRefusal(answer: RawAnswer): StatedRefusal | undefined {
  const { status, body } = answer;
  const json = parseJsonObject(body);
  if (json !== undefined) return readJsonRefusal(json, status);
  if (status < 400) return undefined;
  if (isHtml(answer)) return readErrorPage(body, status);
  const stated = readOtherRefusal(answer);
  if (stated !== undefined && stated.error !== findStatusWord(status)) return stated;
  const text = stated?.error_description ?? readPlainText(body);
  // An error text of Spring begins with a bracket, like a JSON array.
  const bracketed = BRACKETED.test(body) ? body.slice(0, LONGEST_TEXT) : '';
  return readErrorText(text ?? bracketed, status);
}

const BRACKETED = /^\[[a-z_]{1,50}\] /;

/** Characters of a text without markup. */
const LONGEST_TEXT = 500;

function hasWord(text: string, name: string): boolean {
  return text.split(/[^\w-]+/).includes(name);
}

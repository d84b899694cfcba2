import type { Recorder } from '../http/types.ts';
import type { FormParameters } from '../protocol/oauth/form.ts';
import type { ListenAddress } from './listen-address.ts';
import { type ListenerOptions, listen, type ReceivedRequest, type Reply } from './listener.ts';
import { page, relayPage } from './redirect-page.ts';

/** The part of the redirect that carried the parameters. */
export type RedirectPlace = 'query' | 'fragment' | 'form_post';

/** Whether a redirect is the expected one, successful or not. */
export type RedirectVerdict<Response> =
  | {
      readonly kind: 'taken';
      readonly response: Response;
      /** Why it failed, for the page in the browser; undefined on success. */
      readonly trouble?: string | undefined;
    }
  | {
      readonly kind: 'turned_away';
      /** In words that follow "it has", for the page as well. */
      readonly reason: string;
      /** What else is known of it. The page does not show it, because anyone may have written it. */
      readonly detail?: string | undefined;
      /** Ends the wait, once the browser has its page. */
      readonly failure?: Error | undefined;
    };

export interface RedirectOptions<Response> {
  readonly listen: ListenAddress;
  /** Certificate and private key in PEM, for a redirect URI of https. */
  readonly tls?: ListenerOptions['tls'];
  /** Whether the response comes in the fragment, which a page has to forward. */
  readonly relaysFragment: boolean;
  readonly checkResponse: (
    parameters: FormParameters,
    place: RedirectPlace,
  ) => Promise<RedirectVerdict<Response>>;
  /** Called when a request to the redirect URI was refused; the wait continues. */
  readonly onRefused: (reason: string, status: number) => void;
  /** Called when a request could not be handled, which is a defect. */
  readonly onError: (error: unknown) => void;
}

export interface RedirectServer<Response> {
  /** The address of the listener, with the actual port. */
  readonly url: string;
  /** Resolves once the expected redirect has arrived and the browser has its page; rejects with a `failure`. */
  readonly response: Promise<Response>;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 256 * 1024;
const FORM = /^application\/x-www-form-urlencoded\b/i;

/**
 * Listens at the redirect URI for one authorization response: accepts the first expected one, and refuses all other
 * requests.
 * @throws UsageError `address_in_use`, `address_unavailable`, `listener_certificate_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 */
export async function listenRedirect<Response>(
  options: RedirectOptions<Response>,
  recorder: Recorder,
  now: () => number,
): Promise<RedirectServer<Response>> {
  let settle: Settle<Response> = { take: () => {}, fail: () => {} };
  const response = new Promise<Response>((resolve, reject) => {
    settle = { take: resolve, fail: reject };
  });
  const handle = createHandler(options, settle);
  const listener = await listen(
    {
      listen: options.listen,
      tls: options.tls,
      elsewhere: 'with another port in --redirect-uri, or leave it out for a free one',
      endpoint: 'redirect',
      maxBodyBytes: MAX_BODY_BYTES,
      handle,
      onError: options.onError,
    },
    recorder,
    now,
  );
  return { ...listener, response };
}

/** How the wait ends. */
interface Settle<Response> {
  readonly take: (response: Response) => void;
  readonly fail: (error: Error) => void;
}

/** Takes the first redirect that is judged right, and turns everything else away. */
function createHandler<Response>(
  options: RedirectOptions<Response>,
  settle: Settle<Response>,
): (request: ReceivedRequest) => Promise<Reply> {
  let isTaken = false;

  const refuse = (
    status: number,
    reason: string,
    { headers = {}, detail }: { headers?: Record<string, string>; detail?: string | undefined } = {},
  ): Reply => {
    options.onRefused(detail === undefined ? reason : `${reason}; ${detail}`, status);
    const reply = page(status, 'This is not the answer that oauthctl waits for', `It has ${reason}.`);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  };

  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'POST') {
      return refuse(405, `the method ${request.method}`, { headers: { allow: 'GET, POST' } });
    }
    const isForm = request.method === 'POST';
    if (isForm && !FORM.test(request.headers['content-type'] ?? '')) {
      return refuse(415, 'a body that is no form');
    }
    const parameters: FormParameters = [...new URLSearchParams(isForm ? request.body : request.query)];
    if (!isForm && options.relaysFragment && parameters.length === 0) return relayPage();
    const place = isForm ? (options.relaysFragment ? 'fragment' : 'form_post') : 'query';
    if (isTaken) return refuse(410, 'come after the answer, which is taken once');
    const verdict = await options.checkResponse(parameters, place);
    if (verdict.kind === 'turned_away') {
      const { reason, detail, failure } = verdict;
      const reply = refuse(400, reason, { detail });
      return failure === undefined ? reply : { ...reply, ended: () => settle.fail(failure) };
    }
    // Another one may have been accepted while this one was checked.
    if (isTaken) return refuse(410, 'come after the answer, which is taken once');
    isTaken = true;
    const reply =
      verdict.trouble === undefined
        ? page(200, 'oauthctl has the answer', 'You may close this window.')
        : page(200, 'That did not work', verdict.trouble, 'You may close this window.');
    return { ...reply, ended: () => settle.take(verdict.response) };
  };
}

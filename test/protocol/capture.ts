import * as oauth from 'oauth4webapi';

/** A request as it would leave, for comparison. */
export interface Captured {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  /** Sorted: the order has no meaning. */
  readonly parameters: readonly (readonly [string, string])[];
}

/** Options that let oauth4webapi build a request and keep it, instead of sending it. */
export function capture(): { options: Record<symbol, unknown>; request: () => Captured } {
  let captured: Captured | undefined;
  const fetch = async (
    url: string,
    init: { method: string; headers: Record<string, string>; body?: unknown },
  ) => {
    const { authorization, 'content-type': contentType } = init.headers;
    captured = {
      method: init.method,
      url,
      authorization,
      contentType: contentType?.split(';')[0],
      parameters: sorted(new URLSearchParams(String(init.body ?? ''))),
    };
    return new Response('{}', { status: 200, headers: { 'content-type': 'application/json' } });
  };
  return {
    options: { [oauth.customFetch]: fetch, [oauth.allowInsecureRequests]: true },
    request: () => captured ?? fail(),
  };
}

export function sorted(parameters: Iterable<readonly [string, string]>): (readonly [string, string])[] {
  return [...parameters].sort(([one, first], [other, second]) =>
    one === other ? first.localeCompare(second) : one.localeCompare(other),
  );
}

/** The client id and secret of a Basic header, as a server reads them: RFC 6749, section 2.3.1. */
export function readCredentials(authorization: string | undefined): string[] {
  const encoded = /^Basic (\S+)$/.exec(authorization ?? '')?.[1] ?? fail();
  return Buffer.from(encoded, 'base64')
    .toString()
    .split(':')
    .map((half) => decodeURIComponent(half.replaceAll('+', ' ')));
}

function fail(): never {
  throw new Error('there was no such request');
}

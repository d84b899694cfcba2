import type { Context } from '../../context.ts';
import type { OauthctlError } from '../../errors.ts';
import type { FormParameters } from '../../protocol/oauth/form.ts';
import type { RedirectOptions, RedirectPlace, RedirectVerdict } from '../../servers/redirect.ts';

/** The events while a browser is expected. */
export type BrowserWaitEvent =
  | { readonly type: 'waiting'; readonly leftMs: number }
  | { readonly type: 'redirect_refused'; readonly reason: string; readonly status: number };

/** A verdict; what was turned away may be a finding, which the wait ends with where nothing else comes. */
export type FindingVerdict<Response> = RedirectVerdict<Response> & {
  readonly finding?: OauthctlError | undefined;
};

export interface RedirectWaitOptions<Response>
  extends Pick<RedirectOptions<Response>, 'listen' | 'tls' | 'relaysFragment' | 'onRefused'> {
  /** @param sent the parameters of the request that the redirect must be the answer to */
  checkResponse(
    sent: FormParameters,
    received: FormParameters,
    place: RedirectPlace,
  ): Promise<FindingVerdict<Response>>;
  /** Ends the wait with the first finding. */
  readonly failFast: boolean;
}

/** A listener at the redirect URI. */
export interface RedirectWait<Response> {
  /** The address of the listener, with the actual port. */
  readonly listensAt: string;
  readonly port: number;
  /** Accepts redirects from now on; earlier ones are refused. */
  expect(sent: FormParameters): void;
  readonly response: Promise<Response>;
  /** What the last response that was turned away was, where it is known. */
  readonly finding: () => OauthctlError | undefined;
}

/**
 * Listens at the redirect URI until `go` is done; a redirect after the response is answered that it is too late.
 * @throws UsageError `address_in_use`, `address_unavailable`, `listener_certificate_invalid`; what `go` throws
 */
export async function withRedirect<Response, Result>(
  ctx: Context,
  { checkResponse, failFast, ...options }: RedirectWaitOptions<Response>,
  go: (wait: RedirectWait<Response>) => Promise<Result>,
): Promise<Result> {
  let sent: FormParameters | undefined;
  let lastFinding: OauthctlError | undefined;
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const server = await (await ctx.servers()).redirect<Response>({
    ...options,
    async checkResponse(received, place) {
      if (sent === undefined) return { kind: 'turned_away', reason: 'come before anything was asked for' };
      const { finding, ...verdict } = await checkResponse(sent, received, place);
      if (finding === undefined || verdict.kind === 'taken') return verdict;
      lastFinding = finding;
      return failFast ? { ...verdict, failure: finding } : verdict;
    },
    onError: fail,
  });
  const response = Promise.race([server.response, failure]);
  // It may fail before it is awaited.
  response.catch(() => {});
  try {
    ctx.signal.throwIfAborted();
    return await go({
      listensAt: server.url,
      port: Number(new URL(server.url).port),
      expect(parameters) {
        sent = parameters;
      },
      response,
      finding: () => lastFinding,
    });
  } finally {
    await server.close();
  }
}

/**
 * Waits for the user, and reports the remaining time every second.
 * @param timeUp makes the error at the deadline
 */
export async function inTime<Value>(
  ctx: Context,
  deadlineMs: number,
  awaited: Promise<Value>,
  onEvent: (event: BrowserWaitEvent) => void,
  timeUp: () => Error,
): Promise<Value> {
  const until = ctx.clock.now() + deadlineMs;
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const ticking = async (): Promise<never> => {
    for (;;) {
      const leftMs = until - ctx.clock.now();
      if (leftMs <= 0) throw timeUp();
      onEvent({ type: 'waiting', leftMs });
      await ctx.clock.sleep(Math.min(1000, leftMs), signal);
    }
  };
  try {
    return await Promise.race([awaited, ticking()]);
  } finally {
    over.abort(new Error('the wait is over'));
  }
}

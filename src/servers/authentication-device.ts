import { OauthctlError } from '../errors.ts';
import type { Recorder } from '../http/types.ts';
import { type Delegation, parseDelegation } from '../protocol/ciba/keycloak-ciba.ts';
import type { ListenAddress } from './listen-address.ts';
import { type Listener, listen, type ReceivedRequest, type Reply } from './listener.ts';

/** A delegation that was accepted, or refused with the status of `respond`, and its bearer token. */
export interface ReceivedDelegation extends Delegation {
  readonly bearer: string;
  readonly status: number;
}

export interface AuthenticationDeviceOptions {
  readonly listen: ListenAddress;
  /** The status that a valid delegation is answered with; 201, except in a test of the server. */
  readonly status: number;
  /** Throws an OauthctlError for a bearer token that is not trusted. */
  readonly checkBearer: (bearer: string) => Promise<void>;
  /** Called when a delegation has arrived, before it is answered. */
  readonly onReceived: (delegation: ReceivedDelegation) => void;
  /** Called when the delegation has been answered. */
  readonly onAnswered: (delegation: ReceivedDelegation) => void;
  /** Called when a request was refused. */
  readonly onRefused: (reason: string, status: number) => void;
  /** Called when a request could not be handled, which is a defect. */
  readonly onError: (error: unknown) => void;
}

export type AuthenticationDeviceServer = Listener;

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Listens as the authentication device of Keycloak. A delegation is answered at once; the decision follows later.
 * @throws UsageError `address_in_use`, `address_unavailable`
 * @see https://www.keycloak.org/docs/latest/server_admin/#_client_initiated_backchannel_authentication_grant
 */
export async function listenAuthenticationDevice(
  options: AuthenticationDeviceOptions,
  recorder: Recorder,
  now: () => number,
): Promise<AuthenticationDeviceServer> {
  const refuse = (status: number, reason: string, headers?: Record<string, string>): Reply => {
    options.onRefused(reason, status);
    return { status, ...(headers && { headers }) };
  };

  const handle = async (request: ReceivedRequest): Promise<Reply> => {
    if (request.method !== 'POST')
      return refuse(405, `a ${request.method} where a POST belongs`, { allow: 'POST' });
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer === undefined) return refuse(401, 'no bearer token', { 'www-authenticate': 'Bearer' });
    const delegation = parseDelegation(request.headers['content-type'], request.body);
    if (delegation === undefined) return refuse(400, 'a body that is neither a JSON object nor a form');
    try {
      await options.checkBearer(bearer);
    } catch (error) {
      if (!(error instanceof OauthctlError)) throw error;
      return refuse(401, error.message, { 'www-authenticate': 'Bearer error="invalid_token"' });
    }
    const received: ReceivedDelegation = { ...delegation, bearer, status: options.status };
    options.onReceived(received);
    return { status: options.status, sent: () => options.onAnswered(received) };
  };

  return listen(
    {
      listen: options.listen,
      endpoint: 'authentication_device',
      maxBodyBytes: MAX_BODY_BYTES,
      handle,
      onError: options.onError,
    },
    recorder,
    now,
  );
}

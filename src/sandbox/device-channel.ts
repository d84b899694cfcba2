import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** The request of the server to the authentication device. */
export interface SandboxDelegation {
  readonly scope: string;
  readonly login_hint: string;
  readonly binding_message?: string;
  readonly acr_values?: string;
  readonly is_consent_required: boolean;
}

/** The response of the device to a delegation. `refused` is any status except 201. */
export type Delivery = 'accepted' | 'refused' | 'unreachable';

/** Milliseconds the device has to answer in. */
const DEADLINE = 10_000;

/** The channel from the server to the authentication device, as Keycloak's HTTP authentication channel. */
export class DeviceChannel {
  #device: URL;
  readonly #pending = new Set<ClientRequest>();

  /** @param device absolute http or https URL; throws TypeError otherwise */
  constructor(device: string) {
    this.#device = parseDevice(device);
  }

  setDevice(device: string): void {
    this.#device = parseDevice(device);
  }

  /**
   * Delivers one delegation.
   *
   * @param bearer the JWT by which the device names this delegation in its result
   * @param delegation sent as JSON
   */
  deliver(bearer: string, delegation: SandboxDelegation): Promise<Delivery> {
    const body = Buffer.from(JSON.stringify(delegation));
    const open = this.#device.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve) => {
      const request = open(this.#device, {
        method: 'POST',
        agent: false,
        headers: {
          authorization: `Bearer ${bearer}`,
          'content-type': 'application/json',
          'content-length': body.length,
          accept: 'application/json',
        },
      });
      const deadline = setTimeout(() => request.destroy(), DEADLINE);
      this.#pending.add(request);
      request.on('response', (response) => {
        resolve(response.statusCode === 201 ? 'accepted' : 'refused');
        response.on('error', () => {});
        response.resume();
      });
      request.on('error', () => resolve('unreachable'));
      request.on('close', () => {
        clearTimeout(deadline);
        this.#pending.delete(request);
        resolve('unreachable');
      });
      request.end(body);
    });
  }

  /** Aborts all requests. */
  close(): void {
    for (const request of this.#pending) {
      request.destroy();
    }
  }
}

function parseDevice(device: string): URL {
  const url = URL.canParse(device) ? new URL(device) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError('the authentication device has to be an absolute http or https URL');
  }
  return url;
}

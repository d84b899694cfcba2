import type { KeycloakServer } from './keycloak.ts';

/** What the admin API answered when it was anything but a success. */
export class KeycloakAdminError extends Error {
  readonly status: number;
  readonly body: string;

  constructor(request: string, status: number, body: string) {
    super(`${request}: ${status} ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** Keycloak's free-form settings: every value is text, and '' removes one. */
export type Attributes = Record<string, string>;

export interface RealmRepresentation {
  enabled?: boolean;
  attributes?: Attributes;
  accessTokenLifespan?: number;
  ssoSessionMaxLifespan?: number;
  [member: string]: unknown;
}

export interface UserRepresentation {
  username: string;
  password?: string;
  enabled?: boolean;
  email?: string;
  firstName?: string;
  lastName?: string;
  requiredActions?: string[];
  [member: string]: unknown;
}

export interface ClientRepresentation {
  clientId: string;
  secret?: string;
  enabled?: boolean;
  publicClient?: boolean;
  standardFlowEnabled?: boolean;
  directAccessGrantsEnabled?: boolean;
  serviceAccountsEnabled?: boolean;
  clientAuthenticatorType?: string;
  redirectUris?: string[];
  attributes?: Attributes;
  [member: string]: unknown;
}

export interface ClientScopeRepresentation {
  name: string;
  attributes?: Attributes;
  [member: string]: unknown;
}

/** The few requests of Keycloak's admin API that tests need; it is the same on 14 and 26 but for the base URL. */
export class KeycloakAdmin {
  readonly #server: KeycloakServer;
  #token: { value: string; usableUntil: number } | undefined;

  constructor(server: KeycloakServer) {
    this.#server = server;
  }

  async createRealm(realm: string, settings: RealmRepresentation = {}): Promise<void> {
    await this.request('POST', '', { realm, enabled: true, ...settings });
  }

  async deleteRealm(realm: string): Promise<void> {
    await this.request('DELETE', path(realm));
  }

  /** Changes the given settings and attributes, and no others. */
  async updateRealm(realm: string, changes: RealmRepresentation): Promise<void> {
    await this.#update(path(realm), changes);
  }

  /** @returns the user's id, which is the `sub` of its tokens */
  createUser(realm: string, { password, ...user }: UserRepresentation): Promise<string> {
    const credentials = password && [{ type: 'password', value: password, temporary: false }];
    return this.#create(path(realm, 'users'), {
      enabled: true,
      ...user,
      ...(credentials && { credentials }),
    });
  }

  async updateUser(realm: string, userId: string, changes: Partial<UserRepresentation>): Promise<void> {
    await this.#update(path(realm, 'users', userId), changes);
  }

  /** Ends every session of a user. */
  async logoutUser(realm: string, userId: string): Promise<void> {
    await this.request('POST', path(realm, 'users', userId, 'logout'));
  }

  /** @returns the client's internal id (not its client_id), which the other requests take */
  createClient(realm: string, client: ClientRepresentation): Promise<string> {
    return this.#create(path(realm, 'clients'), { protocol: 'openid-connect', enabled: true, ...client });
  }

  /** Changes the given settings and attributes, and no others. */
  async updateClient(realm: string, id: string, changes: Partial<ClientRepresentation>): Promise<void> {
    await this.#update(path(realm, 'clients', id), changes);
  }

  /** Puts another client into the `aud` of this client's access tokens, so that it may introspect them on 26. */
  async addAudienceMapper(realm: string, id: string, audience: string): Promise<void> {
    await this.request('POST', path(realm, 'clients', id, 'protocol-mappers', 'models'), {
      name: `audience ${audience}`,
      protocol: 'openid-connect',
      protocolMapper: 'oidc-audience-mapper',
      config: {
        'included.client.audience': audience,
        'access.token.claim': 'true',
        'id.token.claim': 'false',
      },
    });
  }

  /** @returns the scope's id */
  createClientScope(realm: string, { attributes, ...scope }: ClientScopeRepresentation): Promise<string> {
    return this.#create(path(realm, 'client-scopes'), {
      protocol: 'openid-connect',
      attributes: { 'include.in.token.scope': 'true', 'display.on.consent.screen': 'true', ...attributes },
      ...scope,
    });
  }

  /** Lets a client ask for a scope. */
  async assignOptionalScope(realm: string, id: string, scopeId: string): Promise<void> {
    await this.request('PUT', path(realm, 'clients', id, 'optional-client-scopes', scopeId));
  }

  /**
   * Sends any other request of the admin API.
   *
   * @param below the path below `/admin/realms`
   * @throws KeycloakAdminError for a status that is not 2xx
   */
  async request(method: string, below: string, body?: unknown): Promise<Response> {
    const token = await this.#accessToken();
    return this.#send(`${this.#server.baseUrl}/admin/realms${below}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async #create(below: string, representation: unknown): Promise<string> {
    const response = await this.request('POST', below, representation);
    const id = response.headers.get('Location')?.split('/').at(-1);
    if (!id) throw new Error(`POST ${below}: no Location in the answer`);
    return id;
  }

  /** Keycloak takes a whole representation: what is absent from its attributes is removed, so they are merged here. */
  async #update(below: string, changes: Record<string, unknown>): Promise<void> {
    const present = (await (await this.request('GET', below)).json()) as { attributes?: Attributes };
    const attributes = { ...present.attributes, ...(changes.attributes as Attributes | undefined) };
    await this.request('PUT', below, { ...present, ...changes, attributes });
  }

  async #accessToken(): Promise<string> {
    if (this.#token === undefined || this.#token.usableUntil < Date.now()) {
      const { baseUrl, adminUser, adminPassword } = this.#server;
      const asked = Date.now();
      const response = await this.#send(`${baseUrl}/realms/master/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'password',
          client_id: 'admin-cli',
          username: adminUser,
          password: adminPassword,
        }),
      });
      const { access_token, expires_in } = (await response.json()) as {
        access_token: string;
        expires_in: number;
      };
      this.#token = { value: access_token, usableUntil: asked + (expires_in * 1000) / 2 };
    }
    return this.#token.value;
  }

  async #send(url: string, init: RequestInit & { method: string }): Promise<Response> {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(120_000) });
    if (response.ok) {
      if (response.status === 201 || response.status === 204) await response.body?.cancel();
      return response;
    }
    throw new KeycloakAdminError(`${init.method} ${url}`, response.status, await response.text());
  }
}

function path(...segments: string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

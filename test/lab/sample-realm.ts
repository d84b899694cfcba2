import { randomBytes } from 'node:crypto';
import type { KeycloakServer } from './keycloak.ts';
import { type Attributes, type ClientRepresentation, KeycloakAdmin } from './keycloak-admin.ts';

export interface SampleClient {
  /** Keycloak's internal id. */
  id: string;
  clientId: string;
  secret: string;
}

/** The walk-through's realm: who and what is in it. */
export interface SampleRealm {
  admin: KeycloakAdmin;
  realm: string;
  issuer: string;
  user: { id: string; username: string; password: string };
  /** May use CIBA, has a service account, and may ask for `example-scope`. */
  client: SampleClient;
  /** May not use CIBA, and has no service account; otherwise like `client`. */
  plainClient: SampleClient;
  scope: { id: string; name: string };
  remove(): Promise<void>;
}

export interface SampleRealmOptions {
  /** `SampleRealm` by default. */
  realm?: string;
  /** Adds a suffix at random to the realm's name, so that tests do not meet in it; true by default. */
  unique?: boolean;
  /** Seconds between two polls, 5 by default; 0 makes the acknowledgement omit it. */
  interval?: number;
  /** Seconds until an authentication request expires, 600 by default. */
  expiresIn?: number;
  /** Further attributes of the realm. */
  attributes?: Attributes;
}

/** Makes the walk-through's realm on a Keycloak: CIBA in poll mode, the user cl-taro and two confidential clients. */
export async function createSampleRealm(
  server: KeycloakServer,
  {
    realm: name = 'SampleRealm',
    unique = true,
    interval = 5,
    expiresIn = 600,
    attributes,
  }: SampleRealmOptions = {},
): Promise<SampleRealm> {
  const admin = new KeycloakAdmin(server);
  const realm = unique ? `${name}-${randomBytes(4).toString('hex')}` : name;
  await admin.createRealm(realm, {
    attributes: {
      cibaBackchannelTokenDeliveryMode: 'poll',
      cibaExpiresIn: String(expiresIn),
      cibaInterval: String(interval),
      cibaAuthRequestedUserHint: 'login_hint',
      ...attributes,
    },
  });

  const user = { username: 'cl-taro', password: secret() };
  const userId = await admin.createUser(realm, {
    ...user,
    // 26 calls an account without these "not fully set up".
    email: 'cl-taro@example.org',
    firstName: 'Taro',
    lastName: 'Sample',
  });

  const createClient = async (client: ClientRepresentation & { secret: string }): Promise<SampleClient> => {
    const id = await admin.createClient(realm, {
      publicClient: false,
      standardFlowEnabled: false,
      directAccessGrantsEnabled: true,
      ...client,
    });
    return { id, clientId: client.clientId, secret: client.secret };
  };
  const client = await createClient({
    clientId: 'test-client',
    secret: secret(),
    serviceAccountsEnabled: true,
    attributes: { 'oidc.ciba.grant.enabled': 'true' },
  });
  const plainClient = await createClient({ clientId: 'plain-client', secret: secret() });

  const scope = 'example-scope';
  const scopeId = await admin.createClientScope(realm, { name: scope });
  await admin.assignOptionalScope(realm, client.id, scopeId);

  return {
    admin,
    realm,
    issuer: `${server.baseUrl}/realms/${realm}`,
    user: { id: userId, ...user },
    client,
    plainClient,
    scope: { id: scopeId, name: scope },
    remove: () => admin.deleteRealm(realm),
  };
}

/** At random, so that a test can search every output for it. */
function secret(): string {
  return randomBytes(24).toString('base64url');
}

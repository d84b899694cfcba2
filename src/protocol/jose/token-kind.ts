import { isJsonObject, type JsonObject } from '../json.ts';
import { shown } from './jwt-verdict.ts';

/** @see https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken */
export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * Tokens of Keycloak that are no access tokens, by their claim `typ` in lower case and without signs between words.
 * @see https://www.rfc-editor.org/rfc/rfc8417#section-2.2 for security event tokens, which have `events`
 */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['id', 'an ID token'],
  ['idtoken', 'an ID token'],
  ['serializedid', 'an identity cookie'],
  ['refresh', 'a refresh token'],
  ['offline', 'a refresh token'],
  ['logout', 'a logout token'],
  ['logoutjwt', 'a logout token'],
  ['initialaccesstoken', 'an initial access token'],
  ['registrationaccesstoken', 'a registration access token'],
  ['permissionticket', 'a permission ticket'],
  ['resetcredentials', 'an action token'],
  ['verifyemail', 'an action token'],
  ['executeactions', 'an action token'],
  ['idpverifyaccountviaemail', 'an action token'],
  ['updateemail', 'an action token'],
  ['orgivt', 'an invitation'],
  ['seceventjwt', 'a security event token'],
]);

/** Finds which other kind of token than an access token it is, and by which claim. */
export function findOtherKind(claims: JsonObject): { kind: string; sign: string } | undefined {
  const { typ, nonce, events, permissions } = claims;
  // Keycloak names the kind of a token in this claim.
  const kind = typeof typ === 'string' ? KINDS.get(typ.toLowerCase().replace(/[^a-z0-9]/g, '')) : undefined;
  if (kind !== undefined) return { kind, sign: `typ ${shown(typ)}` };
  const hash = ['at_hash', 'c_hash', 's_hash'].find((name) => claims[name] !== undefined);
  if (hash !== undefined) return { kind: 'an ID token', sign: hash };
  // Access tokens of older Keycloaks hold a nonce as well.
  if (nonce !== undefined && typ !== 'Bearer') return { kind: 'an ID token', sign: 'nonce' };
  // A permission ticket of Keycloak has no typ; an RPT has its permissions in another claim.
  if (Array.isArray(permissions) && permissions.some((one) => isJsonObject(one) && 'rsid' in one))
    return { kind: 'a permission ticket', sign: 'permissions' };
  if (events === undefined) return undefined;
  const isLogout = isJsonObject(events) && LOGOUT_EVENT in events;
  return { kind: isLogout ? 'a logout token' : 'a security event token', sign: 'events' };
}

import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { decodeUnverified } from '../protocol/jose/jwt.ts';
import { definedParameters, type FormParameters, type ParameterValues } from '../protocol/oauth/form.ts';
import type { ScopeNotGranted } from '../protocol/oauth/granted-scope.ts';
import { parseLifetime } from '../protocol/oauth/response-members.ts';
import type { TokenResponse } from '../protocol/oauth/token.ts';
import type { VerifiedIdToken } from '../protocol/oidc/id-token.ts';
import { isSecretName, mask } from '../redact.ts';

/** Renders the parameters of a request on one line, with secrets masked. */
export function renderForm(parameters: FormParameters): string {
  return parameters
    .map(([name, value]) => `${name}=${isSecretName(name) ? mask(value) : printable(value)}`)
    .join('  ');
}

/** As renderForm, for an object; a list repeats the parameter, and undefined omits it. */
export function renderParameters(values: object): string {
  return renderForm(definedParameters(values as ParameterValues));
}

/** Describes the tokens of a response and their lifetimes. */
export function describeTokens(tokens: TokenResponse): string {
  const alg = decodeUnverified(tokens.access_token)?.header.alg;
  const parts = [
    `access_token ${typeof alg === 'string' ? alg : 'opaque'}`,
    tokens.expires_in !== undefined && inWords(tokens.expires_in),
  ].filter(Boolean);
  const refreshExpiry = parseLifetime(tokens.json.refresh_expires_in);
  const refresh =
    tokens.refresh_token !== undefined &&
    `refresh_token${refreshExpiry ? `, ${inWords(refreshExpiry)}` : ''}`;
  return [parts.join(', '), tokens.id_token !== undefined && 'id_token', refresh].filter(Boolean).join(' · ');
}

/** Warns once of everything in a response that does not have the specified form. */
export function warnOfRemarks(reporter: Reporter, what: string, remarks: readonly string[]): void {
  if (remarks.length === 0) return;
  reporter.warning(`${what} is used, though it is not as specified: ${printable(remarks.join('; '))}`);
}

/** Shortens a path to its last segments. */
export function shortenPath(url: string): string {
  const parts = new URL(url).pathname.split('/');
  return parts.length > 4 ? `…/${parts.slice(-3).join('/')}` : parts.join('/');
}

/** Describes the verified ID token, and how it differs from what was requested. */
export function describeIdToken({ alg, claims, encryption, remarks }: VerifiedIdToken): string {
  const facts = [alg, encryption && `decrypted from ${encryption.alg} and ${encryption.enc}`]
    .filter((fact) => fact !== undefined)
    .join(', ');
  const verified = `id_token verified: ${facts}, sub ${printable(String(claims.sub))}`;
  return [verified, ...remarks.map((remark) => printable(remark))].join(' · ');
}

/** Warning for a request with the scope `openid` that returned no ID token. */
export const ID_TOKEN_MISSING = 'the scope "openid" was requested, but the response has no ID token';

/** Which scopes were asked for and not granted. */
export function describeScopeNotGranted({ missing, granted }: ScopeNotGranted): string {
  return `asked for and not granted: scope ${printable(missing.join(' '))} · granted: ${printable(granted) || 'none'}`;
}

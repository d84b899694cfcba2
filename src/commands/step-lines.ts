import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { VerifiedIdToken } from '../protocol/id-token.ts';
import { decodeUnverified } from '../protocol/jwt.ts';
import type { TokenResponse } from '../protocol/token.ts';
import { isSecretName, mask } from '../redact.ts';

/** The parameters of a request on one line, secrets masked. */
export function parameterLine(parameters: object): string {
  return Object.entries(parameters)
    .flatMap(([name, value]) => [value].flat().map((one) => [name, one]))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${isSecretName(name) ? mask(String(value)) : printable(String(value))}`)
    .join('  ');
}

/** What came, and how long it lives. */
export function tokenLine(tokens: TokenResponse): string {
  const alg = decodeUnverified(tokens.access_token)?.header.alg;
  const parts = [
    `access_token ${typeof alg === 'string' ? alg : 'opaque'}`,
    tokens.expires_in !== undefined && inWords(tokens.expires_in),
  ].filter(Boolean);
  const refreshExpiry = tokens.json.refresh_expires_in;
  const refresh =
    tokens.refresh_token !== undefined &&
    `refresh_token${typeof refreshExpiry === 'number' && refreshExpiry > 0 ? `, ${inWords(refreshExpiry)}` : ''}`;
  return [parts.join(', '), tokens.id_token !== undefined && 'id_token', refresh].filter(Boolean).join(' · ');
}

/** The end of a path, enough to recognise it. */
export function shortPath(url: string): string {
  const parts = new URL(url).pathname.split('/');
  return parts.length > 4 ? `…/${parts.slice(-3).join('/')}` : parts.join('/');
}

/** What was verified of an ID token, and what is not as it was asked for. */
export function idTokenLine({ alg, claims, encryption, remarks }: VerifiedIdToken): string {
  const facts = [alg, encryption && `decrypted from ${encryption.alg} and ${encryption.enc}`]
    .filter((fact) => fact !== undefined)
    .join(', ');
  const verified = `id_token verified: ${facts}, sub ${printable(String(claims.sub))}`;
  return [verified, ...remarks.map((remark) => printable(remark))].join(' · ');
}

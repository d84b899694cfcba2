// Issuers that differ by one part only, such as the tenants of Microsoft Entra: a template, and the values it may take.
import type { JSONWebKeySet } from 'jose';

/** An issuer, or several by a template. */
export interface IssuerEntry {
  /** To the character, as tokens and metadata have it; or a template such as `https://as.example/{tenant}/v2.0`. */
  readonly issuer: string;
  /** What the placeholder of a template may be. */
  readonly allowed_values?: readonly string[] | undefined;
  /** Where the keys are; the metadata says so otherwise. May have the placeholder of the issuer. */
  readonly jwks_uri?: string | undefined;
  /** What `iss` of access tokens is, where that is not the issuer. May have the placeholder of the issuer. */
  readonly access_token_issuer?: string | undefined;
}

/** An entry for one issuer; a template has become one of these for each allowed value. */
export type Expanded<Entry extends IssuerEntry> = Omit<Entry, 'allowed_values'> & ExpandedIssuer;

interface ExpandedIssuer extends Omit<IssuerEntry, 'allowed_values'> {
  /** What `iss` of its tokens is, to the character. */
  readonly tokenIssuer: string;
  /** Where the issuer is one of a template. */
  readonly template?: { readonly issuer: string; readonly value: string };
}

/** The name of a placeholder in braces. */
const PLACEHOLDER = /\{[A-Za-z][A-Za-z0-9_]*\}/;
/** What an allowed value is made of: it stays one label or path segment of a URL, and cannot be `.` or `..`. */
export const ALLOWED_VALUE = '^[A-Za-z0-9_-][A-Za-z0-9._-]*$';
/** An issuer, with at most one placeholder. @see https://www.rfc-editor.org/rfc/rfc8414#section-2 */
export const ISSUER_PATTERN = '^https?://(?:[^\\s?#{}]+|[^\\s?#{}]*\\{[A-Za-z][A-Za-z0-9_]*\\}[^\\s?#{}]*)$';
/** As an issuer, and with a query. */
export const ADDRESS_PATTERN = '^https?://(?:[^\\s#{}]+|[^\\s#{}]*\\{[A-Za-z][A-Za-z0-9_]*\\}[^\\s#{}]*)$';

/** Returns the placeholder of a template, with its braces; undefined for an issuer without one. */
export function findPlaceholder(text: string): string | undefined {
  return PLACEHOLDER.exec(text)?.[0];
}

/** Puts an allowed value in the place of the placeholder. */
export function expandTemplate(template: string, value: string): string {
  return template.replace(PLACEHOLDER, () => value);
}

/**
 * Makes an entry of each allowed value. Tokens are looked up among these: no part of a token becomes part of a URL.
 * @param entry checked by parseTenants
 */
export function expandEntry<Entry extends IssuerEntry>(entry: Entry): readonly Expanded<Entry>[] {
  const { allowed_values, ...one } = entry;
  const { issuer, jwks_uri, access_token_issuer = issuer } = one;
  if (allowed_values === undefined) return [{ ...one, tokenIssuer: access_token_issuer }];
  return allowed_values.map((value) => ({
    ...one,
    issuer: expandTemplate(issuer, value),
    tokenIssuer: expandTemplate(access_token_issuer, value),
    ...(jwks_uri !== undefined && { jwks_uri: expandTemplate(jwks_uri, value) }),
    template: { issuer, value },
  }));
}

/**
 * Selects the keys that may sign for a tenant. In a set that serves many tenants a key may name its issuer: it counts for
 * that issuer only.
 * @see https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
 */
export function selectKeys(jwks: JSONWebKeySet, tenant: ExpandedIssuer): JSONWebKeySet {
  const { template, issuer, tokenIssuer } = tenant;
  if (template === undefined) return jwks;
  const isFor = (named: unknown) =>
    typeof named !== 'string' || [issuer, tokenIssuer].includes(expandTemplate(named, template.value));
  return { keys: jwks.keys.filter((key) => !('issuer' in key) || isFor(key.issuer)) };
}

// The list of tenants of `oauthctl serve`, as it stands in a file. Its JSON Schema is in tenants-schema.ts.

import { UsageError } from '../../errors.ts';
import { parseJson } from '../../exact-json.ts';
import { isJsonObject } from '../../protocol/json.ts';
import { VALIDATIONS, type Validation } from '../../protocol/oauth/bearer.ts';
import { findEndpoint } from '../../protocol/oauth/metadata.ts';
import {
  ADDRESS_PATTERN,
  ALLOWED_VALUE,
  type Expanded,
  expandEntry,
  expandTemplate,
  findPlaceholder,
  ISSUER_PATTERN,
  type IssuerEntry,
} from './issuer-template.ts';

/** One issuer whose tokens are accepted, or several by a template, and on which conditions. */
export interface Tenant extends IssuerEntry {
  /** `aud` must name one of these; empty takes any. */
  readonly audience: readonly string[];
  readonly validation: Validation;
  /** Whose credentials introspection takes. */
  readonly client_id?: string;
  /** A reference: `env:NAME`, `file:PATH`, `cmd:COMMAND`, or the secret itself. */
  readonly client_secret?: string;
  /** Every one of these the token must have. */
  readonly scopes: readonly string[];
  /** By name the values that a claim must have, or, if it is a list, must hold. */
  readonly claims: Readonly<Record<string, ClaimValue>>;
}

/** A tenant of one issuer. */
export type ExpandedTenant = Expanded<Tenant>;

export type ClaimValue = string | number | boolean;

/** A tenant as the file may write it. */
export interface TenantEntry {
  issuer: string;
  allowed_values?: string[];
  jwks_uri?: string;
  access_token_issuer?: string;
  audience?: string | string[];
  any_audience?: boolean;
  validation?: Validation;
  client_id?: string;
  client_secret?: string;
  scopes?: string[];
  claims?: Record<string, ClaimValue>;
}

export interface TenantsDocument {
  $schema?: string;
  tenants: TenantEntry[];
}

/** More of them would make the counters of /metrics a burden of their own. */
export const MOST_TENANTS = 1000;

const MEMBERS = [
  'issuer',
  'allowed_values',
  'jwks_uri',
  'access_token_issuer',
  'audience',
  'any_audience',
  'validation',
  'client_id',
  'client_secret',
  'scopes',
  'claims',
];

/**
 * Checks a list of tenants.
 * @param value the parsed JSON of the file
 * @param name what errors call the file
 * @throws UsageError `tenants_invalid` that names everything found wrong
 */
export function parseTenants(value: unknown, name: string): readonly Tenant[] {
  const wrong = wrongDocument(value);
  if (wrong.length > 0) {
    throw new UsageError('tenants_invalid', `${name} is no list of tenants: ${wrong.join('; ')}`, {
      hint: 'What it takes is shown by "oauthctl serve schema".',
    });
  }
  return (value as TenantsDocument).tenants.map(toTenant);
}

/**
 * Reads the text of a file of tenants.
 * @throws UsageError `tenants_invalid`
 */
export function parseTenantsText(text: string, name: string): readonly Tenant[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new UsageError('tenants_invalid', `${name} is no list of tenants: it is not whole JSON`, { cause });
  }
  return parseTenants(value, name);
}

/** Says whether a value has the outer shape of a list of tenants; what stands in it may be wrong. */
export function isTenantsDocument(value: unknown): value is TenantsDocument {
  return isJsonObject(value) && Array.isArray(value.tenants) && value.tenants.every(isJsonObject);
}

function toTenant({ any_audience: _any, ...entry }: TenantEntry): Tenant {
  const { audience = [], validation = 'local', scopes = [], claims = {} } = entry;
  return { ...entry, audience: [audience].flat(), validation, scopes, claims };
}

function wrongDocument(value: unknown): readonly string[] {
  if (!isJsonObject(value)) return ['it is not a JSON object'];
  const others = Object.keys(value).filter((member) => !['$schema', 'tenants'].includes(member));
  if (others.length > 0) return [`"${others[0]}" is not a member of it`];
  if (value.$schema !== undefined && typeof value.$schema !== 'string') return ['"$schema" is not a string'];
  const { tenants } = value;
  if (!Array.isArray(tenants)) return ['it has no array "tenants"'];
  if (tenants.length > MOST_TENANTS) return [`it has more than ${MOST_TENANTS} tenants`];
  const wrong = tenants.flatMap((entry, index) =>
    wrongEntry(entry).map((what) => `tenants[${index}]: ${what}`),
  );
  return wrong.length > 0 ? wrong : wrongTogether(tenants.map(toTenant));
}

/** What is wrong with tenants each of which is right. */
function wrongTogether(tenants: readonly Tenant[]): readonly string[] {
  const expanded = tenants.flatMap(expandEntry);
  if (expanded.length > MOST_TENANTS)
    return [`with all allowed values it has more than ${MOST_TENANTS} tenants`];
  const repeated =
    findRepeated(tenants.map(({ issuer }) => issuer)) ??
    findRepeated(expanded.map(({ tokenIssuer }) => tokenIssuer));
  return repeated === undefined ? [] : [`the issuer ${repeated} is there twice`];
}

function findRepeated(issuers: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return issuers.find((issuer) => seen.size === seen.add(issuer).size);
}

function wrongEntry(entry: unknown): readonly string[] {
  if (!isJsonObject(entry)) return ['it is not an object'];
  const { issuer, audience, any_audience, validation, client_id, client_secret, scopes, claims } = entry;
  const wrong = Object.keys(entry)
    .filter((member) => !MEMBERS.includes(member))
    .map((member) => `"${member}" is not a member of a tenant`);
  if (!isIssuer(issuer)) wrong.push('"issuer" is not an http or https URL without query and fragment');
  else wrong.push(...wrongTemplate(issuer, entry), ...wrongAddresses(issuer, entry));
  if (any_audience !== undefined && typeof any_audience !== 'boolean')
    wrong.push('"any_audience" is neither true nor false');
  if (audience === undefined && any_audience !== true)
    wrong.push('it has neither "audience" nor "any_audience": true');
  if (audience !== undefined && any_audience === true)
    wrong.push('"audience" and "any_audience": true exclude each other');
  if (audience !== undefined && !isName(audience) && !(isList(audience, isName) && audience.length > 0))
    wrong.push('"audience" is neither a string nor a list of some');
  if (validation !== undefined && !VALIDATIONS.some((one) => one === validation))
    wrong.push(`"validation" is not one of ${VALIDATIONS.join(', ')}`);
  for (const [member, value] of Object.entries({ client_id, client_secret })) {
    if (value !== undefined && !isName(value)) wrong.push(`"${member}" is not a string, or empty`);
    if (value === undefined && validation === 'introspection')
      wrong.push(`introspection takes a "${member}"`);
  }
  if (client_secret === '-')
    wrong.push('"client_secret" cannot come by standard input, since it is read more than once');
  if (scopes !== undefined && !isList(scopes, isScope)) wrong.push('"scopes" is not a list of scopes');
  if (claims !== undefined && !(isJsonObject(claims) && Object.values(claims).every(isClaimValue)))
    wrong.push('"claims" is not an object of strings, numbers and booleans');
  return wrong;
}

/** What is wrong with the allowed values of an issuer. */
function wrongTemplate(issuer: string, { allowed_values }: Record<string, unknown>): readonly string[] {
  const placeholder = findPlaceholder(issuer);
  if (placeholder === undefined)
    return allowed_values === undefined ? [] : ['"allowed_values" is there, and "issuer" has no placeholder'];
  if (allowed_values === undefined)
    return [`"issuer" has the placeholder ${placeholder}, and "allowed_values" does not say what it may be`];
  if (!isList(allowed_values, isAllowedValue) || allowed_values.length === 0)
    return ['"allowed_values" is not a list of names of letters, digits, ".", "_" and "-"'];
  return [];
}

/** What is wrong with the addresses beside an issuer. */
function wrongAddresses(
  issuer: string,
  { jwks_uri, access_token_issuer }: Record<string, unknown>,
): readonly string[] {
  const wrong: string[] = [];
  if (jwks_uri !== undefined && !matches(jwks_uri, ADDRESS_PATTERN))
    wrong.push('"jwks_uri" is not an http or https URL without fragment');
  else if (jwks_uri !== undefined) wrong.push(...wrongTransport(issuer, jwks_uri));
  if (access_token_issuer !== undefined && !matches(access_token_issuer, ISSUER_PATTERN))
    wrong.push('"access_token_issuer" is not an http or https URL without query and fragment');
  const placeholder = findPlaceholder(issuer);
  for (const [member, value] of Object.entries({ jwks_uri, access_token_issuer })) {
    const used = typeof value === 'string' ? findPlaceholder(value) : undefined;
    if (used !== undefined && used !== placeholder)
      wrong.push(`"${member}" has the placeholder ${used}, and "issuer" does not`);
  }
  return wrong;
}

/** Keys from an http address could be replaced on the way: the rule for addresses in metadata holds here too. */
function wrongTransport(issuer: string, jwks_uri: string): readonly string[] {
  try {
    findEndpoint({ issuer, jwks_uri: expandTemplate(jwks_uri, 'a') }, 'jwks_uri');
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function isIssuer(value: unknown): value is string {
  return matches(value, ISSUER_PATTERN);
}

/** Says whether a value is a URL of a pattern, where a placeholder stands for a name. */
function matches(value: unknown, pattern: string): value is string {
  return (
    typeof value === 'string' && new RegExp(pattern).test(value) && URL.canParse(expandTemplate(value, 'a'))
  );
}

function isAllowedValue(value: unknown): value is string {
  return typeof value === 'string' && new RegExp(ALLOWED_VALUE).test(value);
}

function isList<Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[] {
  return Array.isArray(value) && value.every(isItem);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
function isScope(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value);
}

function isClaimValue(value: unknown): value is ClaimValue {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

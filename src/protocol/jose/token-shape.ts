/** What a text that is no JWT looks like, and what to do with it. */
export interface TokenShape {
  /** For example `a UUID: a reference token`. */
  readonly looksLike: string;
  readonly hint?: string;
  /** Whether it cannot be a token of any kind. */
  readonly isNoToken?: true;
}

const OPAQUE = 'Only the server that issued it can read it: introspect it.';

const SHAPES: readonly (TokenShape & { readonly pattern: RegExp })[] = [
  {
    pattern: /\(masked\)|^eyJ\w?…/,
    looksLike: 'a token that was masked',
    isNoToken: true,
    hint: 'Take the token from a result, for example "oauthctl token show --field access_token", or add --show-secrets.',
  },
  {
    pattern: /^eyJ[\w.-]*(?:\.\.\.|…)/,
    looksLike: 'a JWT that was shortened for display',
    isNoToken: true,
    hint: 'Copy the whole token.',
  },
  {
    pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
    looksLike: 'a UUID: a reference token',
    hint: OPAQUE,
  },
  {
    pattern: /^v[1-4]\.(?:local|public)\./,
    looksLike: 'a PASETO, which is not a JWT',
    hint: 'Use a tool for PASETO.',
  },
  // Base64 of `<?xml`, `<saml`, `<Assertion`, `<EncryptedAssertion` and, with a namespace, `<ns…:`.
  {
    pattern: /^(?:PD94bWw|PHNhbWw|PEFzc2VydGlvb|PEVuY3J5cHRlZEFzc2Vyd|PFJlc3BvbnNl)/,
    looksLike: 'a SAML assertion or other XML in base64',
    hint: 'Decode it with base64 -d.',
  },
  {
    pattern: /^<\?xml|^<[\w:]*(?:Assertion|Response)\b/,
    looksLike: 'XML: a SAML assertion',
    isNoToken: true,
    hint: 'It is text: read it in an editor.',
  },
  {
    pattern: /^\s*<(?:!doctype|html)/i,
    looksLike: 'an HTML page',
    isNoToken: true,
    hint: 'Something other than a token was copied or saved.',
  },
  {
    pattern: /-----BEGIN [A-Z ]*KEY-----/,
    looksLike: 'a key in PEM',
    isNoToken: true,
    hint: 'See "oauthctl key show FILE".',
  },
  { pattern: /-----BEGIN CERTIFICATE-----/, looksLike: 'a certificate in PEM', isNoToken: true },
  {
    pattern: /^\{.*"(?:kty|keys)"\s*:/s,
    looksLike: 'a JWK or JWK Set',
    isNoToken: true,
    hint: 'See "oauthctl key show FILE".',
  },
  {
    pattern: /^\{.*"error"\s*:/s,
    looksLike: 'an error answer of a server, without a token',
    isNoToken: true,
  },
  { pattern: /^[[{]/, looksLike: 'JSON without a token', isNoToken: true },
  { pattern: /^ya29\./, looksLike: 'an access token of Google', hint: OPAQUE },
  { pattern: /^gh[oprsu]_|^github_pat_/, looksLike: 'a token of GitHub', hint: OPAQUE },
  { pattern: /^glpat-/, looksLike: 'a token of GitLab', hint: OPAQUE },
  { pattern: /^xox[abeprs]-/, looksLike: 'a token of Slack', hint: OPAQUE },
  { pattern: /^YII/, looksLike: 'a Kerberos (SPNEGO) token' },
  { pattern: /^(?:https?|[a-z][\w+.-]*):\/\//i, looksLike: 'a URL without a token', isNoToken: true },
  { pattern: /^[0-9a-f]{32,}$/i, looksLike: 'a number in hexadecimal: a reference token', hint: OPAQUE },
  { pattern: /^[\w~+/.=-]{8,}$/, looksLike: 'an opaque token', hint: OPAQUE },
];

/** Describes a text that is no JWT. */
export function describeShape(text: string): TokenShape {
  const shape = SHAPES.find(({ pattern }) => pattern.test(text));
  if (shape === undefined) return { looksLike: 'no token of any kind that is known here' };
  const { looksLike, hint, isNoToken } = shape;
  return { looksLike, ...(hint !== undefined && { hint }), ...(isNoToken && { isNoToken }) };
}

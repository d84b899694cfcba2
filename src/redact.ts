import { copyNumberTexts, parseJson, stringifyJson } from './exact-json.ts';

/** Wire names (form fields, JSON members, headers, query parameters) whose values nobody should read over a shoulder. */
const SECRET_NAMES = new Set([
  'access_token',
  'assertion',
  'actor_token',
  'auth_req_id',
  'authorization',
  'client_assertion',
  'client_notification_token',
  'client_secret',
  'code',
  'code_verifier',
  'cookie',
  'device_code',
  'dpop',
  'id_token',
  'id_token_hint',
  // Keycloak's, in an introspection response: the whole access token.
  'jwt',
  'login_hint_token',
  'password',
  'proxy-authorization',
  'refresh_token',
  'registration_access_token',
  'request',
  // The whole authorization response, as a JWT.
  'response',
  'secret',
  'set-cookie',
  'subject_token',
  'token',
  'user_code',
  // It carries the user code.
  'verification_uri_complete',
]);

// Three parts are a JWS, five a JWE, whose second is empty where its key is agreed on or shared.
const JWT = /eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/g;
const AUTHORIZATION = /\b(Basic|Bearer|DPoP)\s+[A-Za-z0-9\-._~+/]{16,}=*/gi;
/** Shorter values would blank out innocent words. */
const SHORTEST_KNOWN_SECRET = 6;

/** Says whether the value under this wire name is a secret; case does not matter. */
export function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase());
}

/**
 * Masks one secret. A JWT or JWE keeps its first four characters, which only say that it is one;
 * anything else keeps nothing.
 */
export function mask(value: string): string {
  if (value === '') return '';
  return value.startsWith('eyJ') ? `${value.slice(0, 4)}…(masked)` : '(masked)';
}

/** Masks one header's value; the scheme of an Authorization header is kept, and a Location but for its secrets. */
export function maskHeader(name: string, value: string): string {
  if (/^(?:content-)?location$/i.test(name)) return maskUrl(value);
  if (!isSecretName(name)) return value;
  const scheme = /^(Basic|Bearer|DPoP)\s/i.exec(value)?.[1];
  return scheme ? `${scheme} (masked)` : mask(value);
}

/** Masks every secret member of a JSON value, however deep; other values are kept as they are. */
export function maskJson(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return isSecretName(name) ? mask(value) : value;
  if (Array.isArray(value))
    return copyNumberTexts(
      value,
      value.map((item) => maskJson(item, name)),
    );
  if (value !== null && typeof value === 'object') {
    const masked = Object.entries(value).map(([key, item]) => [key, maskJson(item, key)] as const);
    return copyNumberTexts(value, Object.fromEntries(masked));
  }
  return value;
}

/** Masks every secret parameter of a form body or query string. */
export function maskForm(form: string): string {
  return form
    .split('&')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return isSecretName(decodeFormName(name)) ? `${name}=${mask(rest.join('='))}` : pair;
    })
    .join('&');
}

/**
 * Masks a body of whatever form: JSON, a form, or, where it is neither as a whole (cut short, wrongly declared),
 * everything in it that looks like a secret member of either.
 * @param contentType the header's value, which may be wrong
 */
export function maskBody(body: string, contentType = ''): string {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/jwt') return mask(body);
  try {
    return stringifyJson(maskJson(parseJson(body)));
  } catch {
    const members = body.replace(
      /("([\w-]+)"\s*:\s*")((?:[^"\\]|\\.)*)/g,
      (all, start: string, name: string, value: string) => (isSecretName(name) ? start + mask(value) : all),
    );
    return maskForm(members);
  }
}

/** Masks the secret parameters in a URL's query and fragment, and a password in its authority. */
export function maskUrl(url: string): string {
  return url
    .replace(/\/\/([^/@:]*):[^/@]*@/, '//$1:(masked)@')
    .replace(/([?#])([^#]*)/g, (_all, mark: string, part: string) => mark + maskForm(part));
}

function decodeFormName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}

/**
 * The last line of defence: knows the secrets of this run by value, and removes them from any text that is
 * about to leave by stderr or into a trace, wherever in it they stand.
 */
export class Redactor {
  readonly #known = new Set<string>();
  /** `--show-secrets` turns all masking off. */
  readonly showSecrets: boolean;

  constructor(showSecrets = false) {
    this.showSecrets = showSecrets;
  }

  /** Remembers a value as secret: in clear, and as it stands in URLs, forms and JSON. */
  know(...values: (string | undefined)[]): void {
    for (const value of values) {
      if (value === undefined || value.length < SHORTEST_KNOWN_SECRET) continue;
      const formEncoded = new URLSearchParams([['', value]]).toString().slice(1);
      this.#known.add(value);
      this.#known.add(formEncoded);
      // A lone surrogate has no encoding in a URL.
      if (!/\p{Surrogate}/u.test(value)) this.#known.add(encodeURIComponent(value));
      this.#known.add(JSON.stringify(value).slice(1, -1));
    }
  }

  /** Remembers every secret member of a JSON value (a token response, an acknowledgement). */
  knowMembers(value: unknown): void {
    if (value === null || typeof value !== 'object') return;
    for (const [name, item] of Object.entries(value)) {
      if (typeof item === 'string' && isSecretName(name)) this.know(item);
      else this.knowMembers(item);
    }
  }

  /** Returns the text with every known secret, JWT and Authorization value masked. */
  text(text: string): string {
    if (this.showSecrets) return text;
    let masked = text;
    // The longest first: one may be the beginning of another.
    for (const secret of [...this.#known].sort((one, other) => other.length - one.length)) {
      masked = masked.replaceAll(secret, () => mask(secret));
    }
    return masked
      .replace(JWT, (token) => mask(token))
      .replace(AUTHORIZATION, (_all, scheme: string) => `${scheme} (masked)`);
  }
}

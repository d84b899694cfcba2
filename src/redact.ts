import { copyNumberTexts, parseJson, stringifyJson } from './exact-json.ts';
import { findStringEnd } from './json-scan.ts';
import { listSecretNames } from './protocol/definitions/index.ts';
import { findSecrets, listSecretForms, type SecretForms } from './secret-search.ts';

/** The wire names (parameters, JSON members, headers) whose values are masked: each is declared as a secret where it is defined. */
let secretNames: ReadonlySet<string> | undefined;

/** Characters of the compact serialization. One run of them is looked at once, so that the time grows with the length alone. */
const COMPACT_RUN = /[A-Za-z0-9_.-]{10,}/g;
// A JWS has three parts; a JWE has five, and the second is empty where no encrypted key is sent.
const JWT = /eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/y;
const AUTHORIZATION = /\b(Basic|Bearer|DPoP)\s+[A-Za-z0-9\-._~+/]{16,}=*/gi;

const MASKED = '(masked)';

/** Says whether the value under this wire name is a secret; case does not matter. */
export function isSecretName(name: string): boolean {
  secretNames ??= listSecretNames();
  return secretNames.has(name.toLowerCase());
}

/** Masks one secret. A JWT or JWE keeps its first four characters, such as `eyJh`; any other value keeps none. */
export function mask(value: string): string {
  if (value === '') return '';
  return value.startsWith('eyJ') ? `${value.slice(0, 4)}…${MASKED}` : MASKED;
}

/** Masks the value of a header. Of Authorization the scheme is kept; of Location the URL without its secret parameters. */
export function maskHeader(name: string, value: string): string {
  if (/^(?:content-)?location$/i.test(name)) return maskUrl(value);
  if (!isSecretName(name)) return value;
  const scheme = /^(Basic|Bearer|DPoP)\s/i.exec(value)?.[1];
  return scheme ? `${scheme} ${MASKED}` : mask(value);
}

/** Masks every secret member of a JSON value, at any depth; other values are kept as they are. */
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

/**
 * Masks the tokens in claims that are shown to people: those of aggregated and distributed claims, and every JWT.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims
 */
export function maskClaims(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { _claim_sources: sources } = claims;
  const masked = sources === undefined ? claims : { ...claims, _claim_sources: maskJson(sources) };
  return maskJwtsInJson(masked) as typeof claims;
}

function maskJwtsInJson(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(COMPACT_RUN, maskJwts);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value))
    return copyNumberTexts(
      value,
      value.map((item) => maskJwtsInJson(item)),
    );
  const members = Object.entries(value).map(([name, item]) => [name, maskJwtsInJson(item)] as const);
  return copyNumberTexts(value, Object.fromEntries(members));
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
 * Masks the secrets in a body: of JSON, of a form, and of a body that is neither because it is cut short or has the
 * wrong type. In such a body everything is masked that looks like a secret member of JSON or of a form.
 * @param contentType the value of the header, which may be wrong
 */
export function maskBody(body: string, contentType = ''): string {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/jwt') return mask(body);
  try {
    return stringifyJson(maskJson(parseJson(body)));
  } catch {
    return maskForm(maskMembers(body));
  }
}

/** Masks the strings of secret members in a text that is not quite JSON. */
function maskMembers(body: string): string {
  let masked = '';
  let from = 0;
  for (const { 0: start, 1: name = '', index } of body.matchAll(MEMBER_NAME)) {
    if (index < from || !isSecretName(name)) continue;
    const opening = index + start.length - 1;
    const end = findStringEnd(body, opening);
    masked += body.slice(from, opening + 1) + mask(body.slice(opening + 1, end));
    from = end;
  }
  return masked + body.slice(from);
}

const MEMBER_NAME = /"([\w-]+)"\s*:\s*"/g;

/** Masks the secret parameters in a URL's query and fragment, and a password in its authority. */
export function maskUrl(url: string): string {
  return url
    .replace(/\/\/([^/@:]*):[^/@]*@/, `//$1:${MASKED}@`)
    .replace(/([?#])([^#]*)/g, (_all, mark: string, part: string) => mark + maskForm(part));
}

/** Masks the JWTs in a run of characters of the compact serialization. */
function maskJwts(run: string): string {
  const lastDot = run.lastIndexOf('.');
  let masked = '';
  let from = 0;
  for (let at = run.indexOf('eyJ'); at >= 0 && at < lastDot; at = run.indexOf('eyJ', at)) {
    JWT.lastIndex = at;
    const token = JWT.exec(run)?.[0];
    if (token === undefined) {
      // Nothing before the next dot can be a JWT: it would have been found from here.
      const next = run.indexOf('.', at);
      at = next < 0 ? run.length : next;
      continue;
    }
    masked += run.slice(from, at) + mask(token);
    at += token.length;
    from = at;
  }
  return masked + run.slice(from);
}

function decodeFormName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}

/**
 * Knows the secrets of this run by value, and masks them in any text that is written to stderr or into a trace. This
 * also finds secrets without a name that marks them, such as in an error description.
 */
export class Redactor {
  /** The forms of each secret, which are listed when a text is first looked at. */
  readonly #known = new Map<string, SecretForms | undefined>();
  /** `--show-secrets` turns all masking off. */
  readonly showSecrets: boolean;

  constructor(showSecrets = false) {
    this.showSecrets = showSecrets;
  }

  /** Remembers a secret value. It is found in clear, in base64, hex, percent-encoding, HTML and JSON, and cut short. */
  know(...values: (string | undefined)[]): void {
    for (const value of values) {
      if (value !== undefined && value !== '' && !this.#known.has(value)) this.#known.set(value, undefined);
    }
  }

  /** Remembers the secret of a client, and what stands for both in the header of HTTP Basic authentication. */
  knowClient(id: string, secret: string | undefined): void {
    if (secret === undefined) return;
    this.know(secret);
    const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
    for (const joined of [`${id}:${secret}`, `${encode(id)}:${encode(secret)}`]) {
      this.know(Buffer.from(joined).toString('base64'), Buffer.from(joined).toString('base64url'));
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
    let masked = '';
    let from = 0;
    for (const { start, end, isBare } of findSecrets(text, this.#listForms())) {
      masked += text.slice(from, start) + (isBare ? mask(text.slice(start, end)) : MASKED);
      from = end;
    }
    masked += text.slice(from);
    return masked
      .replace(COMPACT_RUN, maskJwts)
      .replace(AUTHORIZATION, (_all, scheme: string) => `${scheme} ${MASKED}`);
  }

  #listForms(): readonly SecretForms[] {
    return [...this.#known].map(([secret, known]) => {
      const forms = known ?? listSecretForms(secret);
      if (known === undefined) this.#known.set(secret, forms);
      return forms;
    });
  }
}

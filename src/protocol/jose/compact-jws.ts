import type { JsonObject } from '../json.ts';
import { DEEPEST_JSON, parseStrictJson } from '../strict-json.ts';
import { shown } from './jwt-verdict.ts';

/** Characters; a longer token is not read. */
export const LONGEST_TOKEN = 256 * 1024;

/** A flaw in the format of a token. */
export interface FormatFlaw {
  /** A stable code in snake_case. */
  readonly reason: string;
  readonly detail: string;
}

/** The parts of a signed JWT, as far as they can be read. */
export interface CompactJws {
  readonly header?: JsonObject;
  readonly claims?: JsonObject;
  /** Undefined where it cannot be read; empty where there is none. */
  readonly signature?: Uint8Array;
  /** Why it is not a valid JWT; empty for a valid one. */
  readonly flaws: readonly FormatFlaw[];
}

/**
 * Describes the critical extensions of a token, none of which is supported.
 * @returns undefined for a token without them
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
 */
export function describeCritical({ crit }: JsonObject): string | undefined {
  return crit === undefined
    ? undefined
    : `its crit is ${JSON.stringify(crit)}, and no extension is supported`;
}

/**
 * Parses a JWS in compact serialization strictly: base64url without padding or trailing bits, UTF-8, JSON objects
 * without duplicate members and of limited depth. Nothing is verified, and nothing is thrown.
 * @param mayRepeat whether a claim may occur twice with the same string as its value
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-5.2
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-7.2
 */
export function readCompactJws(token: string, mayRepeat = false): CompactJws {
  if (token.length > LONGEST_TOKEN) {
    return flawed('too_large', `it has ${token.length} characters; more than ${LONGEST_TOKEN} are not read`);
  }
  const parts = token.split('.', 6);
  const [header = '', claims = '', signature = ''] = parts;
  if (parts.length === 5) return encrypted(readJson('header', header));
  if (parts.length > 3) return flawed('not_a_jwt', 'it has more than the three parts of a signed JWT');
  const readHeader = readJson('header', header);
  if (parts.length < 3) return cutShort(parts.length, readHeader, claims);
  const readClaims = readJson('claims', claims, mayRepeat);
  const bytes = decodeBase64url(signature);
  const flaws = [...readHeader.flaws, ...readClaims.flaws];
  if (bytes === undefined) flaws.push(notBase64url('signature', signature));
  return {
    ...(readHeader.json && { header: readHeader.json }),
    ...(readClaims.json && { claims: readClaims.json }),
    ...(bytes && { signature: bytes }),
    flaws,
  };
}

/**
 * Decodes base64url as RFC 7515 specifies it.
 * @returns undefined for padding, other characters, and unused bits that are not zero
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-2
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

interface ReadPart {
  readonly json?: JsonObject;
  readonly flaws: readonly FormatFlaw[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readJson(part: 'header' | 'claims', encoded: string, mayRepeat = false): ReadPart {
  const bytes = decodeBase64url(encoded);
  if (bytes === undefined) return { flaws: [notBase64url(part, encoded)] };
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { flaws: [{ reason: `${part}_not_json`, detail: `the ${part} part is not UTF-8` }] };
  }
  const { json, flaw } = parseStrictJson(text, mayRepeat);
  const found = json === undefined ? {} : { json };
  switch (flaw?.kind) {
    case undefined:
      return { ...found, flaws: [] };
    case 'not_json':
      return {
        flaws: [{ reason: `${part}_not_json`, detail: `there is no JSON object in the ${part} part` }],
      };
    case 'too_deep':
      return {
        flaws: [
          { reason: `${part}_too_deep`, detail: `more than ${DEEPEST_JSON} levels of JSON in the ${part}` },
        ],
      };
    case 'duplicate_member': {
      const detail = `${shown(flaw.member)} occurs twice in the ${part}, and programs differ in which one they use`;
      return { ...found, flaws: [{ reason: `${part}_duplicate_member`, detail }] };
    }
  }
}

function cutShort(count: number, header: ReadPart, claims: string): CompactJws {
  if (header.json === undefined) return flawed('not_a_jwt', 'a signed JWT has three parts with dots between');
  const read = count === 2 ? readJson('claims', claims) : { flaws: [] };
  const missing =
    count === 1
      ? 'claims and signature are missing'
      : read.json === undefined
        ? 'the claims end early and the signature is missing'
        : 'the signature is missing';
  return {
    header: header.json,
    ...(read.json && { claims: read.json }),
    flaws: [...header.flaws, { reason: 'truncated', detail: `it is cut short: ${missing}` }],
  };
}

function encrypted({ json, flaws }: ReadPart): CompactJws {
  if (json === undefined) return { flaws };
  const zip = json.zip;
  const flaw =
    zip === undefined
      ? { reason: 'encrypted', detail: 'it is encrypted (a JWE), and only signed JWTs are verified' }
      : {
          reason: 'compressed',
          detail: `it is encrypted and compressed (zip ${shown(zip)}), and is not decompressed: a few bytes may become gigabytes`,
        };
  return { header: json, flaws: [...flaws, flaw] };
}

function notBase64url(part: string, encoded: string): FormatFlaw {
  return { reason: 'not_base64url', detail: `the ${part} part ${describeEncodingFlaw(encoded)}` };
}

/** Describes what in a text is not base64url. */
function describeEncodingFlaw(encoded: string): string {
  if (/\s/.test(encoded)) return 'has spaces or line breaks, which base64url does not allow';
  if (encoded.includes('=')) return 'is padded with "=", which is not allowed in a JWT';
  if (/[+/]/.test(encoded)) return 'is base64, not base64url: it has "+" or "/"';
  const other = /[^\w-]/u.exec(encoded)?.[0];
  if (other !== undefined) return `has the character ${shown(other)}, which base64url does not allow`;
  // 4n + 1 characters are no whole number of bytes, and the unused bits of the last character must be zero.
  if (encoded.length % 4 === 1) return 'is cut short: base64url never has this length';
  return 'ends in bits that must be zero: it was cut short, or altered';
}

function flawed(reason: string, detail: string): CompactJws {
  return { flaws: [{ reason, detail }] };
}

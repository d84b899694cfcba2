// Finds known secrets in a text: as they are, in the encodings that servers and programs give them, and cut short.

/** Where a secret stands in a text. */
interface Place {
  readonly start: number;
  readonly end: number;
  /** Whether it stands as it is, not in an encoding. */
  readonly isBare: boolean;
}

/** A text that has been decoded, and for each of its characters the position in the text before. */
interface Decoded {
  readonly text: string;
  readonly positions: Uint32Array;
}

/** What is looked for. */
interface Needle {
  readonly text: string;
  /** The whole secret, where `text` is only the beginning of it. */
  readonly whole?: string;
  /** The characters around a find that belong to it. */
  readonly run?: RegExp;
  /** Whether nothing more than the text itself has to be there. */
  readonly isBare: boolean;
}

/** Characters. A shorter secret is found only where it stands as a value. */
const SHORTEST_IN_TEXT = 6;
/** Characters: so much of the beginning of a secret is masked. */
const SHORTEST_PREFIX = 12;
/** Encodings within one another that are undone. */
const MOST_LAYERS = 6;

const BASE64 = /[A-Za-z0-9+/_=-]/;
const HEX = /[0-9A-Fa-f]/;
const COMPACT = /[A-Za-z0-9_.-]/;

const QUOTES = new Set(['"', "'", '`']);
/** What stands before a value that is not in quotes. */
const MARKS = new Set(['=', ':', '>']);
const JSON_LITERAL = /^(?:-?\d[\d.eE+-]*|true|false|null)$/;
const AFTER_VALUE = /["'&<`,;)\]}\s]/;

/** What a known secret is looked for by. */
export interface SecretForms {
  readonly needles: readonly Needle[];
  /** Texts that count only where they stand as a value. */
  readonly values: readonly string[];
}

/** Lists the forms of a secret. */
export function listSecretForms(secret: string): SecretForms {
  const formEncoded = new URLSearchParams([['', secret]]).toString().slice(1);
  const bytes = Buffer.from(secret);
  if (secret.length < SHORTEST_IN_TEXT) {
    const base64 = bytes.toString('base64');
    const encoded = [base64, base64.replace(/=/g, ''), bytes.toString('base64url'), bytes.toString('hex')];
    return { needles: [], values: [...new Set([secret, ...encoded])] };
  }
  const needles: Needle[] = [
    ...listSpellings(secret).flatMap(listPlainNeedles),
    ...listBase64Needles(bytes),
    ...(formEncoded === secret ? [] : listBase64Needles(Buffer.from(formEncoded))),
  ];
  const hex = bytes.toString('hex').slice(0, SHORTEST_PREFIX);
  needles.push({ text: hex, run: HEX, isBare: false });
  if (hex !== hex.toUpperCase()) needles.push({ text: hex.toUpperCase(), run: HEX, isBare: false });
  return { needles, values: [] };
}

/** The secret as it is, and as it is once encodings are undone. */
function listSpellings(secret: string): readonly string[] {
  // In forms a space is a plus sign, and percent-encoding is undone byte by byte.
  const written = [secret, secret.replaceAll(' ', '+')];
  const all = new Set([...written, ...written.map((text) => Buffer.from(text).toString('latin1'))]);
  // What looks like an escape in the secret itself is undone as well.
  for (const text of all) {
    const decoded = decodeOnce(text)?.text;
    if (decoded !== undefined && all.size < MOST_SPELLINGS) all.add(decoded);
  }
  return [...all].filter((text) => text.length >= SHORTEST_IN_TEXT);
}

const MOST_SPELLINGS = 16;

function listPlainNeedles(secret: string): readonly Needle[] {
  // Many texts begin like an address or a PEM block.
  const isCommonStart = secret.includes('://') || secret.startsWith('-----BEGIN ');
  if (secret.length <= SHORTEST_PREFIX || isCommonStart) return [{ text: secret, isBare: true }];
  const text = secret.slice(0, SHORTEST_PREFIX);
  // The beginnings of two JWTs are often alike: whichever it is, it is masked to its end.
  return [{ text, whole: secret, isBare: true, ...(secret.startsWith('eyJ') && { run: COMPACT }) }];
}

/** The characters that bytes give in base64 and base64url, wherever they begin in what is encoded. */
function listBase64Needles(bytes: Buffer): readonly Needle[] {
  const texts = [0, 1, 2].flatMap((before) => {
    // Characters that bytes before and after have a part in are left out.
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const base64 = encoded.slice(first, Math.min(last, first + SHORTEST_PREFIX));
    return [base64, base64.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [...new Set(texts)].map((text) => ({ text, run: BASE64, isBare: false }));
}

/**
 * Finds secrets in a text.
 * @returns the places in their order; none overlaps another
 */
export function findSecrets(text: string, forms: Iterable<SecretForms>): readonly Place[] {
  const all = [...forms];
  const places: Place[] = [];
  let layer: Decoded | undefined;
  for (let depth = 0; depth <= MOST_LAYERS; depth += 1) {
    const shown = layer?.text ?? text;
    for (const { needles, values } of all) {
      for (const needle of needles) addPlaces(places, findNeedle(shown, needle), layer);
      for (const value of values) addPlaces(places, findValue(shown, value), layer);
    }
    const next = decodeOnce(shown);
    if (next === undefined) break;
    layer = layer === undefined ? next : { text: next.text, positions: compose(layer, next) };
  }
  return mergePlaces(places);
}

function findNeedle(text: string, { text: wanted, whole, run, isBare }: Needle): readonly Place[] {
  const places: Place[] = [];
  let from = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, from)) {
    let start = at;
    let end = at + wanted.length;
    if (whole !== undefined) while (end - at < whole.length && text[end] === whole[end - at]) end += 1;
    const isWhole = whole === undefined || end - at === whole.length;
    if (run !== undefined && (!isBare || !isWhole)) {
      const cutAt = end;
      while (end < text.length && run.test(text.charAt(end))) end += 1;
      // A full stop ends a sentence.
      if (isBare && end > cutAt && text[end - 1] === '.') end -= 1;
      if (!isBare) while (start > from && run.test(text.charAt(start - 1))) start -= 1;
    }
    places.push({ start, end, isBare });
    from = end;
  }
  return places;
}

function findValue(text: string, value: string): readonly Place[] {
  const places: Place[] = [];
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) {
    const end = at + value.length;
    if (isValue(text, at, end)) places.push({ start: at, end, isBare: true });
  }
  return places;
}

/** Says whether a part of a text is all of a value in JSON, a form, a header or markup. */
function isValue(text: string, start: number, end: number): boolean {
  const [before, after] = [text.charAt(start - 1), text.charAt(end)];
  if (start === 0) return end === text.length;
  // The name of a member stands before a colon.
  if (QUOTES.has(before)) return after === before && text.charAt(end + 1) !== ':';
  const mark = before === ' ' ? text.charAt(start - 2) : before;
  if (!MARKS.has(mark) || (after !== '' && !AFTER_VALUE.test(after))) return false;
  // A number of JSON is no secret: what is masked would be no JSON any more.
  const mayBeJson = mark === ':' && JSON_LITERAL.test(text.slice(start, end));
  return !mayBeJson || after === '' || after === '\r' || after === '\n';
}

/** An escape of percent-encoding, HTML, JSON, or of `printable`. */
const ESCAPE =
  /%([0-9A-Fa-f]{2})|&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos|sol|plus|equals));|\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(["\\/bfnrt]))/g;

const NAMED: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", sol: '/', plus: '+', equals: '=' },
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
};

/** Undoes one layer of every encoding; undefined where there is none. */
function decodeOnce(text: string): Decoded | undefined {
  if (!/[%&\\]/.test(text)) return undefined;
  const parts: string[] = [];
  const positions = new Uint32Array(text.length + 1);
  let length = 0;
  let from = 0;
  const add = (part: string, at: number, step: number) => {
    parts.push(part);
    for (let index = 0; index < part.length; index += 1) positions[length + index] = at + index * step;
    length += part.length;
  };
  for (const match of text.matchAll(ESCAPE)) {
    const [whole, percent, decimal, hex, name, unicode, byte, sign] = match;
    add(text.slice(from, match.index), from, 1);
    const code = percent ?? hex ?? unicode ?? byte;
    const point = decimal === undefined ? Number.parseInt(code ?? '', 16) : Number(decimal);
    const character = name ?? sign;
    const decoded = character === undefined ? fromCodePoint(point) : (NAMED[character] ?? character);
    add(decoded, match.index, 0);
    from = match.index + whole.length;
  }
  if (from === 0) return undefined;
  add(text.slice(from), from, 1);
  positions[length] = text.length;
  return { text: parts.join(''), positions };
}

function fromCodePoint(point: number): string {
  return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
}

function compose(outer: Decoded, inner: Decoded): Uint32Array {
  return inner.positions.map((position) => outer.positions[position] ?? 0);
}

/** Adds the places that were found in a layer, by their positions in the text itself. */
function addPlaces(all: Place[], places: readonly Place[], layer: Decoded | undefined): void {
  const locate = (at: number) => layer?.positions[at] ?? at;
  for (const { start, end, isBare } of places) all.push({ start: locate(start), end: locate(end), isBare });
}

function mergePlaces(places: readonly Place[]): readonly Place[] {
  const merged: Place[] = [];
  for (const place of [...places].sort((one, other) => one.start - other.start || other.end - one.end)) {
    const last = merged.at(-1);
    if (last === undefined || place.start >= last.end) merged.push(place);
    else if (place.end > last.end) merged[merged.length - 1] = { ...last, end: place.end };
  }
  return merged;
}

import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { JWK } from 'jose';
import { rsaKey } from './keys.ts';

/** A JSON object as it is written: names may occur twice, and values are JSON of any kind. */
export type Members = readonly (readonly [name: string, json: string])[];

/** A claim of a kind of token, and what it must be. */
export interface ClaimRule {
  readonly name: string;
  /** `compared`: one certain value; `text`: some string; `time`: seconds since 1970. */
  readonly is: 'compared' | 'text' | 'time';
  /** Whether the token must have it; by default it must. */
  readonly isOptional?: boolean;
}

/** A kind of token that is attacked: one that would be accepted. */
export interface TokenKind {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly rules: readonly ClaimRule[];
  /** Whether a member that is there twice with the same string is accepted. */
  readonly mayRepeat?: boolean;
  /** Whether `typ` of the header must be right. */
  readonly checksType?: boolean;
  /** Whether padding, base64 and white space are repaired. */
  readonly isRepaired?: boolean;
}

export interface Attack {
  readonly alg: string;
  readonly part: 'header' | 'claims' | 'encoding';
  readonly member: string;
  /** How it is wrong. */
  readonly way: string;
  readonly token: string;
}

/** The asymmetric algorithms of JWA that every version of Node signs with. */
export const ATTACKED_ALGS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
] as const;

/** The keys of the issuer, by their algorithm, which is their `kid` as well. */
export interface AttackedKeys {
  readonly privateKeys: ReadonlyMap<string, KeyObject>;
  readonly jwks: { keys: JWK[] };
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** Makes a key for each algorithm. */
export async function makeAttackedKeys(): Promise<AttackedKeys> {
  const privateKeys = new Map<string, KeyObject>();
  const keys: JWK[] = [];
  const rsa = createPrivateKey({ key: { ...(await rsaKey('attacked')) }, format: 'jwk' });
  for (const alg of ATTACKED_ALGS) {
    const key = /^[RP]S/.test(alg) ? rsa : makeKey(alg);
    privateKeys.set(alg, key);
    const jwk = createPublicKey(key).export({ format: 'jwk' }) as JWK;
    keys.push({ ...jwk, kid: alg, alg, use: 'sig' });
  }
  return { privateKeys, jwks: { keys } };
}

function makeKey(alg: string): KeyObject {
  const namedCurve = CURVES[alg];
  return namedCurve === undefined
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve }).privateKey;
}

/** Signs a text as an algorithm says, whatever the text is. */
function signText(input: string, alg: string, key: KeyObject): Buffer {
  const bytes = Buffer.from(input);
  if (alg === 'EdDSA') return sign(null, bytes, key);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('PS'))
    return sign(hash, bytes, {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
  return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
}

const encode = (text: string | Uint8Array) => Buffer.from(text).toString('base64url');

const toMembers = (object: Readonly<Record<string, unknown>>): Members =>
  Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)]);

const write = (members: Members) => `{${members.map(([name, json]) => `"${name}":${json}`).join(',')}}`;

const replace = (members: Members, name: string, json: string): Members => [
  ...members.filter(([other]) => other !== name),
  [name, json],
];

const without = (members: Members, name: string): Members => members.filter(([other]) => other !== name);

/** Values of other kinds than a string or a number. */
const STRANGE: Members = [
  ['null', 'null'],
  ['true', 'true'],
  ['an object', '{}'],
  ['a list', '[]'],
  ['a list of lists', '[[1]]'],
];

/** Ways to write a claim wrong. */
function listClaimWays({ claims, mayRepeat }: TokenKind, rule: ClaimRule): [string, Members][] {
  const members = toMembers(claims);
  const { name, is } = rule;
  const value = claims[name];
  const right = JSON.stringify(value);
  const set = (json: string) => replace(members, name, json);
  const ways: [string, Members][] = STRANGE.map(([way, json]) => [way, set(json)]);
  if (!rule.isOptional) ways.push(['missing', without(members, name)]);
  const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`;
  ways.push(
    ['twice, the wrong one first', [[name, '"other"'], ...members]],
    ['twice, the wrong one last', [...members, [name, '"other"']]],
    ['twice, by an escaped name', [[escaped, '"other"'], ...members]],
  );
  if (!mayRepeat || typeof value !== 'string') ways.push(['twice, both right', [...members, [name, right]]]);
  if (is === 'time') return [...ways, ...listTimeWays(rule, value as number, set)];
  ways.push(['a number', set('1')], ['empty', set('""')]);
  if (is === 'text') return ways;
  const text = String(value);
  const others: Readonly<Record<string, string>> = {
    'another value': 'other',
    'in capitals': text.toUpperCase(),
    'with a space behind it': `${text} `,
    'with a slash behind it': `${text}/`,
    'with a NUL behind it': `${text}\0`,
    'with more behind it': `${text}.evil.example`,
    'cut short': text.slice(0, -1),
    'percent-encoded': encodeURIComponent(`${text}/`),
    'with a full-width letter': text.replace(/[a-z]/, (one) =>
      String.fromCharCode(one.charCodeAt(0) + 0xfee0),
    ),
    'with a soft hyphen': `${text.slice(0, 3)}\u00ad${text.slice(3)}`,
    'in base64': Buffer.from(text).toString('base64'),
  };
  return [
    ...ways,
    ...Object.entries(others).map(([way, other]): [string, Members] => [way, set(JSON.stringify(other))]),
  ];
}

function listTimeWays(
  { name }: ClaimRule,
  value: number,
  set: (json: string) => Members,
): [string, Members][] {
  const ways: [string, Members][] = [
    ['a string', set(`"${value}"`)],
    ['a date', set(`"${new Date(value * 1000).toISOString()}"`)],
    ['in milliseconds', set(`${value * 1000}`)],
    ['beyond all numbers', set('1e400')],
  ];
  if (name === 'exp')
    ways.push(['past', set(`${value - 86_400}`)], ['negative', set('-1')], ['zero', set('0')]);
  else ways.push(['in the future', set(`${value + 86_400}`)]);
  return ways;
}

/** Ways to write the header wrong, with the key that signs: the right one unless it says another. */
function listHeaderWays(
  kind: TokenKind,
  alg: string,
): [member: string, way: string, Members, forge?: string][] {
  const members = toMembers({ ...kind.header, alg, kid: alg });
  const set = (name: string, value: unknown) => replace(members, name, JSON.stringify(value));
  const otherAlg = ATTACKED_ALGS.find((one) => one[0] !== alg[0]) ?? 'ES256';
  const ways: [string, string, Members, string?][] = [
    ['alg', 'missing', without(members, 'alg')],
    ...[
      null,
      1,
      true,
      {},
      [],
      [alg],
      '',
      ' ',
      'RS1',
      'ES256K',
      alg.toLowerCase(),
      `${alg} `,
      `${alg}\0`,
      otherAlg,
    ].map((value): [string, string, Members] => ['alg', JSON.stringify(value), set('alg', value)]),
    ...['none', 'None', 'NONE', 'nOnE', ' none'].flatMap((value): [string, string, Members, string?][] => [
      ['alg', value, set('alg', value)],
      ['alg', `${value}, not signed`, set('alg', value), ''],
    ]),
    ['alg', 'twice', [['alg', '"none"'], ...members]],
    ...['HS256', 'HS384', 'HS512'].flatMap((hmac): [string, string, Members, string][] =>
      ['spki', 'jwk'].map((format) => [
        'alg',
        `${hmac} with the public key as ${format}`,
        set('alg', hmac),
        `${hmac} ${format}`,
      ]),
    ),
    ...[
      null,
      1,
      true,
      {},
      [],
      '',
      'unknown',
      '../../dev/null',
      "' or 1=1 --",
      'x'.repeat(10_000),
      otherAlg,
    ].map((value): [string, string, Members] => [
      'kid',
      JSON.stringify(value).slice(0, 30),
      set('kid', value),
    ]),
    ['kid', 'twice', [['kid', '"other"'], ...members]],
    ...[[], null, 'exp', {}, [1], ['exp'], ['alg'], ['unknown']].map((value): [string, string, Members] => [
      'crit',
      JSON.stringify(value),
      set('crit', value),
    ]),
    ['crit', 'b64', [...set('crit', ['b64']), ['b64', 'false']]],
    ...[1, {}, [], 'logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JOSE'].map(
      (value): [string, string, Members] => ['typ', JSON.stringify(value), set('typ', value)],
    ),
  ];
  const stranger = createPublicKey(findStranger(alg)).export({ format: 'jwk' });
  const offers: Readonly<Record<string, unknown>> = {
    jwk: { ...stranger, kid: alg, alg },
    jku: 'https://evil.example/jwks',
    x5u: 'https://evil.example/cert',
    x5c: ['AAAA'],
  };
  for (const [name, value] of Object.entries(offers))
    ways.push([name, 'by a stranger', set(name, value), 'stranger']);
  ways.push(['kid', 'right, by a stranger', members, 'stranger']);
  return kind.checksType ? ways : ways.filter(([member]) => member !== 'typ');
}

const strangers = new Map<string, KeyObject>();

function findStranger(alg: string): KeyObject {
  const kind = /^[RP]S/.test(alg) ? 'RSA' : alg;
  const known = strangers.get(kind);
  if (known !== undefined) return known;
  const key = kind === 'RSA' ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey : makeKey(alg);
  strangers.set(kind, key);
  return key;
}

/** Ways to spoil the encoding of a token that is right. */
function listEncodings(token: string, { isRepaired }: TokenKind): [string, string][] {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const altered = (part: string, at: number) => {
    const other = part[at] === 'A' ? 'B' : 'A';
    return `${part.slice(0, at)}${other}${part.slice(at + 1)}`;
  };
  const bytes = Buffer.from(signature, 'base64url');
  const ways: [string, string][] = [
    ['one part', header],
    ['two parts', `${header}.${claims}`],
    ['four parts', `${token}.${signature}`],
    ['six parts', `${token}.a.b.c`],
    ['no signature', `${header}.${claims}.`],
    ['a signature of zeros', `${header}.${claims}.${encode(Buffer.alloc(bytes.length))}`],
    ['a signature of ones', `${header}.${claims}.${encode(Buffer.alloc(bytes.length, 0xff))}`],
    ['a signature cut short', `${header}.${claims}.${encode(bytes.subarray(0, -1))}`],
    [
      'a signature with a byte more',
      `${header}.${claims}.${encode(Buffer.concat([bytes, Buffer.alloc(1)]))}`,
    ],
    [
      'a signature with a zero before it',
      `${header}.${claims}.${encode(Buffer.concat([Buffer.alloc(1), bytes]))}`,
    ],
    ['a signature twice', `${header}.${claims}.${encode(Buffer.concat([bytes, bytes]))}`],
    ['a signature in hex', `${header}.${claims}.${bytes.toString('hex')}`],
    ['claims altered at the start', `${header}.${altered(claims, 4)}.${signature}`],
    ['claims altered at the end', `${header}.${altered(claims, claims.length - 4)}.${signature}`],
    ['header altered', `${altered(header, 6)}.${claims}.${signature}`],
    ['claims without their end', `${header}.${claims.slice(0, -4)}.${signature}`],
    ['parts in another order', `${claims}.${header}.${signature}`],
    ['an empty header', `.${claims}.${signature}`],
    ['empty claims', `${header}..${signature}`],
    ['dots', '..'],
    ['nothing', ''],
    ['too long', `${header}.${claims}.${'A'.repeat(300_000)}`],
  ];
  if (isRepaired) return ways;
  return [
    ...ways,
    ['padding of the header', `${header}=.${claims}.${signature}`],
    ['padding of the claims', `${header}.${claims}==.${signature}`],
    ['padding of the signature', `${token}==`],
    ['a space in it', `${header}. ${claims}.${signature}`],
    ['a line break in it', `${header}.${claims}\n.${signature}`],
    ['a line break behind it', `${token}\n`],
    ['other characters in it', `${header}.${claims}.${signature}!`],
    ['a NUL behind it', `${token}\0`],
    ...spoilUnusedBits(header, claims, signature),
  ];
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Sets a bit that decoding ignores, in each part that has one. */
function spoilUnusedBits(...parts: readonly string[]): [string, string][] {
  return parts.flatMap((part, index): [string, string][] => {
    if (part.length % 4 === 0) return [];
    const last = ALPHABET[ALPHABET.indexOf(part.slice(-1)) | 1] ?? '';
    const spoiled = parts.map((one, at) => (at === index ? part.slice(0, -1) + last : one));
    return [[`an unused bit of part ${index + 1}`, spoiled.join('.')]];
  });
}

/** Texts that are signed in the place of the claims. */
const PAYLOADS: Readonly<Record<string, string | Uint8Array>> = {
  'a list': '[]',
  'a string': '"claims"',
  null: 'null',
  'a number': '1',
  'no JSON': '{iss}',
  'JSON with a comma too many': '{"iss":"a",}',
  'JSON that ends early': '{"iss":"a"',
  'nothing at all': '',
  'nested too deep': `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  'UTF-16': Buffer.from('{"iss":"a"}', 'utf16le'),
};

/** Generates the attacks on a kind of token: each algorithm, each member, each way to be wrong. */
export function* generateAttacks(
  kind: TokenKind,
  keys: AttackedKeys,
  algs: readonly string[] = ATTACKED_ALGS,
): Generator<Attack> {
  for (const alg of algs) {
    const key = keys.privateKeys.get(alg);
    if (key === undefined) throw new Error(`there is no key for ${alg}`);
    const header = write(toMembers({ ...kind.header, alg, kid: alg }));
    const claims = write(toMembers(kind.claims));
    const build = (head: string, body: string | Uint8Array, by: KeyObject = key) => {
      const input = `${encode(head)}.${encode(body)}`;
      return `${input}.${encode(signText(input, alg, by))}`;
    };
    for (const rule of kind.rules)
      for (const [way, members] of listClaimWays(kind, rule))
        yield { alg, part: 'claims', member: rule.name, way, token: build(header, write(members)) };
    for (const [member, way, members, forge] of listHeaderWays(kind, alg))
      yield {
        alg,
        part: 'header',
        member,
        way,
        token: forgeToken(write(members), claims, forge, alg, key, build),
      };
    for (const [way, token] of listEncodings(build(header, claims), kind))
      yield { alg, part: 'encoding', member: 'token', way, token };
    for (const [way, payload] of Object.entries(PAYLOADS))
      yield { alg, part: 'encoding', member: 'claims', way, token: build(header, payload) };
    const bom = `\ufeff${claims}`;
    yield { alg, part: 'encoding', member: 'claims', way: 'a byte order mark', token: build(header, bom) };
  }
}

function forgeToken(
  header: string,
  claims: string,
  forge: string | undefined,
  alg: string,
  key: KeyObject,
  build: (head: string, body: string, by?: KeyObject) => string,
): string {
  if (forge === undefined) return build(header, claims);
  const input = `${encode(header)}.${encode(claims)}`;
  if (forge === '') return `${input}.`;
  if (forge === 'stranger') return build(header, claims, findStranger(alg));
  const [hmac = '', format] = forge.split(' ');
  const publicKey = createPublicKey(key);
  const secret =
    format === 'jwk'
      ? JSON.stringify(publicKey.export({ format: 'jwk' }))
      : publicKey.export({ format: 'pem', type: 'spki' });
  return `${input}.${createHmac(`sha${hmac.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`;
}

/** A token of a kind that nothing is wrong with. */
export function buildRightToken(kind: TokenKind, keys: AttackedKeys, alg: string): string {
  const key = keys.privateKeys.get(alg);
  if (key === undefined) throw new Error(`there is no key for ${alg}`);
  const input = `${encode(write(toMembers({ ...kind.header, alg, kid: alg })))}.${encode(write(toMembers(kind.claims)))}`;
  return `${input}.${encode(signText(input, alg, key))}`;
}

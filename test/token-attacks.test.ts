import { beforeAll, describe, expect, it } from 'vitest';
import { ValidationError } from '../src/errors.ts';
import { Tenants } from '../src/flows/serve/tenants.ts';
import { parseTenants } from '../src/flows/serve/tenants-file.ts';
import { verifyBearer } from '../src/protocol/ciba/keycloak-bearer.ts';
import { verifyJwt } from '../src/protocol/jose/jwt-verification.ts';
import { readAuthorizationJwt } from '../src/protocol/oauth/jarm.ts';
import { verifyIdToken } from '../src/protocol/oidc/id-token.ts';
import { withIssuers } from './flows/serve/issuers.ts';
import {
  ATTACKED_ALGS,
  type Attack,
  type AttackedKeys,
  buildRightToken,
  type ClaimRule,
  generateAttacks,
  makeAttackedKeys,
  type TokenKind,
} from './helpers/token-attacks.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;
const CLIENT_ID = 'a-client';
/** With a secret, HMAC is allowed; a public key is still none. */
const SECRET = 'a secret of the client that is long enough for HMAC';
const ISSUER = 'https://a.example';

const TIMES: readonly ClaimRule[] = [
  { name: 'exp', is: 'time' },
  { name: 'iat', is: 'time' },
  { name: 'nbf', is: 'time', isOptional: true },
];
const PARTIES: readonly ClaimRule[] = [
  { name: 'iss', is: 'compared' },
  { name: 'aud', is: 'compared' },
];
const times = { exp: SECONDS + 300, iat: SECONDS - 10, nbf: SECONDS - 10 };

let keys: AttackedKeys;
beforeAll(async () => {
  keys = await makeAttackedKeys();
});

/** Says why a token is refused; empty for one that is accepted. */
type Judge = (token: string) => Promise<string>;

interface Run {
  readonly kind: TokenKind;
  readonly judge: Judge;
  /** What the reason must be. */
  readonly expected: (attack: Attack) => RegExp;
  /** The fewest attacks that there are. */
  readonly atLeast: number;
}

const DUPLICATE = /twice|duplicate/i;

/** The reasons of the checks that failed. */
function expectReason({ part, member, way }: Attack): RegExp {
  if (way.startsWith('twice')) return /format (?:claims|header)_duplicate_member/;
  if (part === 'encoding') return /^(?:format|signature|key|alg|crit) /m;
  switch (member) {
    case 'iss':
      return way === 'missing' ? /iss issuer_missing/ : /iss issuer_mismatch/;
    case 'aud':
      return way === 'missing' ? /aud audience_missing/ : /aud audience_(?:malformed|mismatch)/;
    case 'exp':
    case 'iat':
    case 'nbf':
      return expectTimeReason(member, way);
    case 'alg':
      return /^(?:alg (?:alg_missing|alg_none|alg_unknown|alg_confusion|alg_unfit)|key key_unfit|signature signature_(?:wrong|length|missing))$/m;
    case 'kid':
      return /^(?:key key_unknown|key key_unfit|signature signature_wrong|signature signature_length)$/m;
    case 'crit':
      return /crit (?:crit_malformed|crit_unknown|b64_false)/;
    case 'typ':
      return part === 'header' ? /typ type_unexpected/ : /kind not_an_access_token/;
    case 'jwk':
    case 'jku':
    case 'x5u':
    case 'x5c':
      return new RegExp(`signature ${member}_not_trusted`);
    default:
      return new RegExp(`${member} ${way === 'missing' ? 'claim_missing' : 'claim_malformed'}`);
  }
}

function expectTimeReason(member: string, way: string): RegExp {
  if (way === 'missing') return new RegExp(`${member} claim_missing`);
  if (way === 'past') return /exp expired/;
  if (way === 'in the future') return member === 'iat' ? /iat issued_in_future/ : /nbf not_yet_valid/;
  const isNumber = ['in milliseconds', 'beyond all numbers', 'negative', 'zero'].includes(way);
  if (way === 'zero') return /exp expired/;
  return new RegExp(`${member} ${isNumber ? 'time_out_of_range' : 'time_not_a_number'}`);
}

/** What the message of a refusal must name, where there are no codes: the member, or what it decides. */
function expectWord({ part, member, way }: Attack): RegExp {
  if (way.startsWith('twice')) return DUPLICATE;
  if (part === 'encoding') return /./;
  const words: Readonly<Record<string, RegExp>> = {
    iss: /\biss\b|issuer/,
    exp: /\bexp\b|expired/,
    alg: /\balg\b|signed|signature|algorithm|key/i,
    kid: /\bkid\b|key|signature/,
    crit: /crit|extension/i,
    typ: /\btyp\b/,
    ...Object.fromEntries(['jwk', 'jku', 'x5u', 'x5c'].map((name) => [name, /signature/])),
  };
  return words[member] ?? new RegExp(`\\b${member}\\b`);
}

const refusal = async (judging: Promise<unknown>): Promise<string> => {
  try {
    await judging;
    return '';
  } catch (error) {
    // Anything else is a defect, not a verdict.
    if (!(error instanceof ValidationError)) throw error;
    return error.message;
  }
};

function verifyJwtRun(): Run {
  const text: readonly ClaimRule[] = ['sub', 'jti', 'client_id'].map((name) => ({ name, is: 'text' }));
  return {
    kind: {
      header: { typ: 'at+jwt' },
      claims: { iss: ISSUER, aud: 'api', sub: 'taro', client_id: 'app', jti: 'one', ...times },
      rules: [...PARTIES, ...TIMES, ...text],
      checksType: true,
    },
    judge: async (token) => {
      const verdict = await verifyJwt(token, {
        keys: keys.jwks,
        issuer: ISSUER,
        audience: ['api'],
        profile: 'access_token',
        now: NOW,
      });
      const failed = verdict.checks.filter(({ outcome }) => outcome === 'failed');
      if (verdict.valid) return '';
      return (
        failed.map(({ name, reason }) => `${name} ${reason}`).join('\n') || 'not valid, without a reason'
      );
    },
    expected: expectReason,
    atLeast: 2000,
  };
}

async function serveRun(): Promise<Run> {
  const world = await withIssuers(['a', 'b', 'c']);
  const [a] = world.issuers;
  a.strangeKeys = keys.jwks.keys;
  const entry = { issuer: a.url, audience: 'api' };
  const tenants = new Tenants(world.ctx, parseTenants({ tenants: [entry] }, 'the list'), {
    leeway: 0,
    allowIdToken: false,
    onRequest: () => {},
  });
  const now = Math.floor(world.clock.now() / 1000);
  const shift = now - SECONDS;
  return {
    kind: {
      header: { typ: 'JWT' },
      claims: {
        iss: a.url,
        aud: 'api',
        sub: 'taro',
        exp: times.exp + shift,
        iat: times.iat + shift,
        nbf: times.nbf + shift,
      },
      rules: [...PARTIES, ...TIMES.map((rule) => ({ ...rule, isOptional: rule.name !== 'exp' }))],
      checksType: true,
    },
    judge: async (token) => {
      const verdict = await tenants.validate(token);
      if (verdict.outcome === 'accepted') return '';
      if (verdict.outcome !== 'invalid_token') throw new Error(`the outcome is ${verdict.outcome}`);
      return verdict.reason;
    },
    expected: (attack) => {
      if (attack.part === 'encoding' || attack.way.startsWith('twice')) return /./;
      if (attack.member === 'iss') return /issuer_(?:missing|not_listed)/;
      // The reason alone, which stands behind the name of the check.
      return new RegExp(
        expectReason(attack).source.replaceAll(
          /\b(?:aud|exp|iat|nbf|alg|key|signature|crit|typ) (?=[a-z(])/g,
          '',
        ),
        'm',
      );
    },
    atLeast: 2000,
  };
}

function idTokenRun(): Run {
  return {
    kind: {
      header: {},
      claims: { iss: ISSUER, aud: CLIENT_ID, azp: CLIENT_ID, sub: 'taro', nonce: 'a-nonce', ...times },
      rules: [
        ...PARTIES,
        ...TIMES,
        { name: 'sub', is: 'text' },
        { name: 'nonce', is: 'compared' },
        { name: 'azp', is: 'compared', isOptional: true },
      ],
      isRepaired: true,
    },
    judge: (token) =>
      refusal(
        verifyIdToken(token, {
          jwks: keys.jwks,
          client_secret: SECRET,
          issuer: ISSUER,
          client_id: CLIENT_ID,
          nonce: 'a-nonce',
          now: NOW,
        }),
      ),
    expected: expectWord,
    atLeast: 2000,
  };
}

function jarmRun(): Run {
  return {
    kind: {
      header: {},
      claims: {
        iss: ISSUER,
        aud: CLIENT_ID,
        code: 'a-code',
        state: 'a-state',
        exp: times.exp,
        nbf: times.nbf,
      },
      rules: [...PARTIES, ...TIMES.filter(({ name }) => name !== 'iat')],
      mayRepeat: true,
      isRepaired: true,
    },
    judge: (token) =>
      refusal(
        readAuthorizationJwt(token, {
          jwks: keys.jwks,
          client_secret: SECRET,
          issuer: ISSUER,
          client_id: CLIENT_ID,
          now: NOW,
        }),
      ),
    expected: expectWord,
    atLeast: 1500,
  };
}

function deviceRun(): Run {
  return {
    kind: {
      header: { typ: 'JWT' },
      claims: {
        iss: ISSUER,
        aud: ISSUER,
        azp: CLIENT_ID,
        jti: 'one',
        typ: 'Bearer',
        exp: times.exp,
        nbf: times.nbf,
      },
      rules: [
        ...PARTIES,
        ...TIMES.filter(({ name }) => name !== 'iat'),
        { name: 'typ', is: 'compared' },
        { name: 'jti', is: 'text' },
        { name: 'azp', is: 'text' },
      ],
      checksType: true,
    },
    judge: (token) => refusal(verifyBearer(token, { issuer: ISSUER, jwks: keys.jwks, now: NOW })),
    expected: expectWord,
    atLeast: 2000,
  };
}

describe('generated attacks', () => {
  it.each<[string, () => Run | Promise<Run>]>([
    ['jwt verify', verifyJwtRun],
    ['serve', serveRun],
    ['ID tokens', idTokenRun],
    ['authorization responses (JARM)', jarmRun],
    ['the authentication device', deviceRun],
  ])('are all refused with the right reason: %s', async (_what, open) => {
    const { kind, judge, expected, atLeast } = await open();
    for (const alg of ATTACKED_ALGS) expect(await judge(buildRightToken(kind, keys, alg)), alg).toBe('');
    const wrong: string[] = [];
    let count = 0;
    for (const attack of generateAttacks(kind, keys)) {
      count += 1;
      const reason = await judge(attack.token);
      if (reason === '' || !expected(attack).test(reason))
        wrong.push(`${attack.alg} ${attack.part} ${attack.member} ${attack.way}: ${reason || 'ACCEPTED'}`);
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(atLeast);
  });
});

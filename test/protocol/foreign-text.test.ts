import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/errors.ts';
import { parseJson } from '../../src/exact-json.ts';
import { explain } from '../../src/explain/index.ts';
import { printable } from '../../src/output/printable.ts';
import { wrapText } from '../../src/output/wrap.ts';
import { parseDelegation } from '../../src/protocol/ciba/keycloak-ciba.ts';
import { findTokens } from '../../src/protocol/jose/find-tokens.ts';
import { unwrapToken } from '../../src/protocol/jose/jwt-repair.ts';
import { repairPem } from '../../src/protocol/jose/pem-repair.ts';
import { pickToken } from '../../src/protocol/jose/pick-token.ts';
import { describeShape } from '../../src/protocol/jose/token-shape.ts';
import { explainBrokerRefusal } from '../../src/protocol/kafka/refusal.ts';
import { classifyAnswer } from '../../src/protocol/oauth/answer.ts';
import { describable, parseCredentials } from '../../src/protocol/oauth/bearer.ts';
import { parseChallenges } from '../../src/protocol/oauth/challenge.ts';
import { readErrorPage, readErrorText } from '../../src/protocol/oauth/error-page.ts';
import { parseRetryAfter } from '../../src/protocol/oauth/retry-after.ts';
import { parseTokenAnswer } from '../../src/protocol/oauth/token.ts';
import { parseStrictJson } from '../../src/protocol/strict-json.ts';

const MEGABYTE = 2 ** 20;
/** Milliseconds for a megabyte on a loaded machine; quadratic time would be minutes. */
const A_MOMENT = 20_000;

const fill = (part: string, end = '') => part.repeat(Math.ceil(MEGABYTE / part.length)) + end;

/** Everything that reads a text of another party. */
function readEverything(text: string): void {
  const attempts: (() => unknown)[] = [
    () => parseJson(text),
    () => parseStrictJson(text),
    () => findTokens(text),
    () => unwrapToken(text),
    () => pickToken(text, ['access_token'], 'the text'),
    () => repairPem(text),
    () => describeShape(text),
    () => readErrorPage(text, 400),
    () => readErrorText(text, 400),
    () => parseChallenges(text),
    () => parseChallenges(`Bearer ${text}`),
    () => parseCredentials([text], text),
    () => describable(text),
    () => parseRetryAfter(text, 0),
    () => printable(text),
    () => wrapText(text, 80),
    () => explainBrokerRefusal({ errorCode: 58, errorMessage: text, challenge: undefined }, undefined, 0),
    () => explain(new RefusedError({ error: text, error_description: text, status: 400, endpoint: 'token' })),
  ];
  for (const type of ['text/html', 'application/x-www-form-urlencoded']) {
    const answer = { status: 400, headers: { 'content-type': type, location: text }, body: text };
    attempts.push(
      () => classifyAnswer(answer, 'token'),
      () => parseTokenAnswer({ ...answer, status: 200 }),
      () => parseDelegation(type, text),
    );
  }
  for (const attempt of attempts) {
    try {
      attempt();
    } catch (error) {
      // Whoever cannot read a text says so; what is measured is the time.
      expect(error).not.toBeInstanceOf(RangeError);
    }
  }
}

describe('a text of another party', () => {
  it.each([
    ['JWTs', fill('eyJa.b.c ')],
    ['many JWTs that differ', Array.from({ length: 100_000 }, (_, at) => `eyJ${at}.`).join(' ')],
    ['eyJ', fill('eyJ')],
    ['schemes', fill('Bearer ')],
    ['schemes and spaces', fill('Bearer  \t')],
    ['quotes', fill('"')],
    ['quotes in quotes', fill(`"'`)],
    ['escaped line ends', fill('\\n', 'x')],
    ['escaped line ends before an x', `x${fill('\\n')}x`],
    ['line ends', fill('\n', 'x')],
    ['spaces', `x${fill(' ')}x`],
    ['commas', fill(',;')],
    ['beginnings of PEM blocks', fill('-----BEGIN A-----')],
    ['long labels of PEM blocks', fill('-----BEGIN A')],
    ['beginnings and ends of PEM blocks', fill('-----BEGIN A-----x y-----END B-----')],
    ['less-than signs', fill('<')],
    ['tags', fill('<a>')],
    ['tags that are not closed', fill('<a b="')],
    ['titles', `<html>${fill('<title')}`],
    ['comments', fill('<!--')],
    ['scripts', fill('<script>')],
    ['closing tags', fill('</a')],
    ['entities', fill('&amp')],
    ['brackets', fill('[a_a')],
    ['words with underlines', fill('a_')],
    ['forms', fill('a=b&', 'x')],
    ['errors in a form', fill('&error=e&e=')],
    ['slashes', `https://a${fill('/')}x`],
    ['schemes of URLs', fill('a:')],
    ['digits', fill('0', '1')],
    ['numbers', `[${fill('1.000000000,')}1.0]`],
    ['an exponent', `[1e${fill('9')}]`],
    ['open strings', fill('"a\\')],
    ['one long string', `{"token":"${fill('a')}"}`],
    ['hashes', `["${fill('#')}",1.0]`],
    ['a problem type', JSON.stringify({ title: 'a', status: 400, type: fill('a', '!') })],
    ['issuer', fill('issuer ')],
    ['introspection', fill('introspection ')],
    ['no suitable', fill('no suitable ')],
    ['parameters of a challenge', fill('a="b", ')],
    ['backslashes', `a="${fill('\\')}`],
    ['equals signs', fill('=')],
    ['dots', fill('.')],
    ['wide characters', fill('漢')],
  ])('is read in time that grows with its length: %s', (_what, text) => {
    const startedAt = performance.now();
    readEverything(text);
    expect(performance.now() - startedAt).toBeLessThan(A_MOMENT);
  });
});

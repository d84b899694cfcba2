import { describe, expect, it } from 'vitest';
import { parseJsonObject } from '../../../src/protocol/json.ts';
import { buildForeignAnswer, classifyAnswer } from '../../../src/protocol/oauth/answer.ts';
import { parseTokenAnswer } from '../../../src/protocol/oauth/token.ts';

const answer = (status: number, body: string, headers: Record<string, string> = {}) => ({
  status,
  body,
  headers,
});

describe('an answer', () => {
  it('that is a JSON object with a status of success is taken as it came', () => {
    expect(classifyAnswer(answer(200, ' {"a":1} '), 'token')).toEqual({ kind: 'ok', json: { a: 1 } });
    expect(classifyAnswer(answer(201, '{}', { 'content-type': 'text/plain' }), 'token').kind).toBe('ok');
  });

  it.each([200, 400, 401, 403, 500, 503])(
    'with an error in it is a refusal, whatever its status: %d',
    (status) => {
      const json = {
        error: 'slow_down',
        error_description: 'too early',
        error_uri: 'https://as.example/e',
        more: 1,
      };
      expect(classifyAnswer(answer(status, JSON.stringify(json)), 'token')).toEqual({
        kind: 'refused',
        json,
        oauth: {
          error: 'slow_down',
          error_description: 'too early',
          error_uri: 'https://as.example/e',
          status,
          endpoint: 'token',
        },
      });
    },
  );

  it('with an ill-typed description is a refusal without description', () => {
    const classified = classifyAnswer(
      answer(400, '{"error":"a","error_description":{"x":1},"error_uri":7}'),
      'token',
    );
    expect(classified).toMatchObject({ kind: 'refused', oauth: { error: 'a' } });
    expect(classified).not.toHaveProperty('oauth.error_description', expect.anything());
    expect(classified).not.toHaveProperty('oauth.error_uri', expect.anything());
  });

  it.each([
    [
      'a redirect',
      answer(302, '', { location: 'https://login.example' }),
      'a redirect (302) to https://login.example',
    ],
    ['a redirect to nowhere', answer(303, '{"error":"a"}'), 'a redirect (303) to nowhere'],
    ['nothing', answer(200, ''), 'status 200 and an empty body'],
    ['white space', answer(204, ' \n'), 'status 204 and an empty body'],
    [
      'an HTML page',
      answer(200, '<p>', { 'content-type': 'text/html; charset=utf-8' }),
      'status 200 and an HTML page instead of JSON',
    ],
    [
      'a page with a title',
      answer(502, '<!DOCTYPE html><title lang="en"> Bad Gateway </title>'),
      'status 502 and an HTML page ("Bad Gateway") instead of JSON',
    ],
    [
      'an array',
      answer(200, '[{"error":"a"}]', { 'content-type': 'application/json' }),
      'status 200 and application/json that is not a JSON object',
    ],
    ['a string', answer(200, '"error"'), 'status 200 and a body without a type that is not a JSON object'],
    [
      'half of JSON',
      answer(200, '{"access_token":"a'),
      'status 200 and a body without a type that is not a JSON object',
    ],
  ])('that is %s is foreign', (_what, raw, reason) => {
    expect(classifyAnswer(raw, 'token')).toEqual({ kind: 'foreign', reason });
  });

  it('that is foreign becomes an error of the network that names the address', () => {
    expect(buildForeignAnswer('a page', 'https://as.example/token')).toMatchObject({
      code: 'not_the_protocol',
      exitCode: 5,
      message: 'https://as.example/token answered with a page',
      maybeHandled: true,
    });
  });
});

describe('JSON that is nested too deep', () => {
  const nested = (levels: number, open: string, close: string) => open.repeat(levels) + close.repeat(levels);

  it.each([
    ['arrays', `{"a":${nested(6000, '[', ']')}}`],
    ['objects', nested(6000, '{"a":', '}').replace(':}', ':1}')],
    ['arrays beside an error', `{"error":"a","more":${nested(100_000, '[', ']')}}`],
  ])('is not read: %s', (_what, body) => {
    expect(classifyAnswer(answer(200, body), 'token')).toEqual({
      kind: 'foreign',
      reason: 'status 200 and JSON that is nested too deep to be read',
    });
  });

  it('is told from JSON of many levels, and of brackets in strings', () => {
    expect(classifyAnswer(answer(200, `{"a":${nested(200, '[', ']')}}`), 'token').kind).toBe('ok');
    expect(classifyAnswer(answer(200, JSON.stringify({ a: '[{"\\'.repeat(1000) })), 'token').kind).toBe('ok');
  });
});

describe('JSON', () => {
  it.each(['null', '1', 'true', '"a"', '[]', '', '{', '{"a":1}x'])('%j is no object', (text) => {
    expect(parseJsonObject(text)).toBeUndefined();
  });

  it('may carry names that objects have by birth', () => {
    const json = parseJsonObject('{"__proto__":{"error":"a"},"constructor":1}');
    expect(Object.keys(json ?? {})).toEqual(['__proto__', 'constructor']);
    expect(classifyAnswer(answer(200, '{"__proto__":{"error":"a"}}'), 'token').kind).toBe('ok');
  });
});

describe('a token answer', () => {
  const parse = (json: unknown, status = 200) => parseTokenAnswer(answer(status, JSON.stringify(json)));

  it('keeps every member as it came', () => {
    const json = {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: 'r',
      id_token: 'i',
      scope: 'openid',
      'not-before-policy': 0,
      refresh_expires_in: 1800,
    };
    const { 'not-before-policy': _, refresh_expires_in: __, ...read } = json;
    expect(parse(json)).toEqual({ kind: 'tokens', tokens: { ...read, remarks: [], json } });
  });

  it('needs neither scope nor expires_in', () => {
    expect(parse({ access_token: 'a', token_type: 'DPoP' })).toMatchObject({
      kind: 'tokens',
      tokens: { expires_in: undefined, scope: undefined, refresh_token: undefined, id_token: undefined },
    });
  });

  it.each([
    [300, 300],
    ['300', 300],
    [0, 0],
    [1.5, 1.5],
    ['', undefined],
    ['soon', undefined],
    [-1, undefined],
    [null, undefined],
    [[300], undefined],
    [true, undefined],
  ])('with expires_in %j lives %s seconds', (expires_in, seconds) => {
    expect(parse({ access_token: 'a', token_type: 'Bearer', expires_in })).toMatchObject({
      tokens: { expires_in: seconds },
    });
  });

  it.each([
    [{ token_type: 'Bearer' }, 'the token response has no "access_token"'],
    [{ access_token: '', token_type: 'Bearer' }, 'the token response has no "access_token"'],
    [{ access_token: ' ', token_type: 'Bearer' }, 'the token response has no "access_token"'],
    [{ access_token: null, token_type: 'Bearer' }, 'the token response has no "access_token"'],
    [{ access_token: 1, token_type: 'Bearer' }, '"access_token" in the token response is not a string'],
    [{ access_token: ['a'], token_type: 'Bearer' }, '"access_token" in the token response is not a string'],
  ])('with %j cannot be used, and its refresh token is still known', (json, message) => {
    expect(parse({ ...json, refresh_token: 'next' })).toMatchObject({
      kind: 'unusable',
      response: {
        refresh_token: 'next',
        error: { code: 'token_response_invalid', exitCode: 4, message },
      },
    });
    expect(parse({ ...json, refresh_token: '' })).toMatchObject({ response: { refresh_token: undefined } });
  });

  const good = { access_token: 'a', token_type: 'Bearer', refresh_token: 'r', scope: 'x' };

  it.each([
    [{ scope: ['x', 'y'] }, { scope: 'x y' }, '"scope" is a list instead of a string'],
    [{ scope: [] }, { scope: '' }, '"scope" is a list instead of a string'],
    [{ scope: { x: true } }, { scope: undefined }, '"scope" is {"x":true}, which is ignored'],
    [{ scope: ['x', 1] }, { scope: undefined }, '"scope" is ["x",1], which is ignored'],
    [{ token_type: undefined }, { token_type: 'Bearer' }, 'it has no "token_type"; Bearer is assumed'],
    [{ token_type: null }, { token_type: 'Bearer' }, 'it has no "token_type"; Bearer is assumed'],
    [{ token_type: '' }, { token_type: 'Bearer' }, 'it has no "token_type"; Bearer is assumed'],
    [{ token_type: 7 }, { token_type: 'Bearer' }, '"token_type" is 7; Bearer is assumed'],
    [{ id_token: '' }, { id_token: undefined }, '"id_token" is empty'],
    [{ id_token: {} }, { id_token: undefined }, '"id_token" is not a string, and is ignored'],
    [{ refresh_token: '' }, { refresh_token: undefined }, '"refresh_token" is empty'],
    [{ refresh_token: 12 }, { refresh_token: undefined }, '"refresh_token" is not a string, and is ignored'],
    [{ refresh_token: 'r\n' }, { refresh_token: 'r' }, '"refresh_token" has white space around it'],
    [{ access_token: ' a' }, { access_token: 'a' }, '"access_token" has white space around it'],
    [{ expires_in: '300' }, { expires_in: 300 }, '"expires_in" is a string, "300"'],
    [{ expires_in: 'soon' }, { expires_in: undefined }, '"expires_in" is "soon", which is ignored'],
    [{ expires_in: -1 }, { expires_in: undefined }, '"expires_in" is -1, which is ignored'],
    [{ refresh_expires_in: '9' }, { expires_in: undefined }, '"refresh_expires_in" is a string, "9"'],
  ])('with %j is used as %j, and the remark says why', (odd, read, remark) => {
    const json = JSON.parse(JSON.stringify({ ...good, ...odd }));
    expect(parse(json)).toMatchObject({
      kind: 'tokens',
      tokens: { ...good, ...read, remarks: [remark], json },
    });
  });

  it('with null for what may be left out is an ordinary one', () => {
    const json = { ...good, id_token: null, expires_in: null, scope: null, refresh_token: null };
    expect(parse(json)).toMatchObject({ kind: 'tokens', tokens: { scope: undefined, remarks: [] } });
  });

  it('of a legacy exchange needs no type', () => {
    const json = { access_token: 'a', issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
    expect(parse(json)).toMatchObject({ tokens: { token_type: 'N_A', remarks: [] } });
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain; charset=utf-8'])(
    'may be a form of type %s',
    (type) => {
      const body = 'access_token=gho%2B1&scope=repo%20gist&token_type=bearer&expires_in=300';
      expect(parseTokenAnswer({ status: 200, headers: { 'content-type': type }, body })).toMatchObject({
        kind: 'tokens',
        tokens: {
          access_token: 'gho+1',
          token_type: 'bearer',
          scope: 'repo gist',
          expires_in: 300,
          remarks: ['it is a form, not JSON'],
        },
      });
    },
  );

  it('with an error beside tokens is a refusal', () => {
    expect(parse({ access_token: 'a', token_type: 'Bearer', error: 'access_denied' })).toMatchObject({
      kind: 'refused',
      oauth: { error: 'access_denied', status: 200 },
    });
  });

  it('that is a page is foreign', () => {
    expect(parseTokenAnswer(answer(200, '<html>'))).toMatchObject({ kind: 'foreign' });
  });
});

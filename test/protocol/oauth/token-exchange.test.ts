import { describe, expect, it } from 'vitest';
import { EXCHANGE_GRANT, TOKEN_TYPES } from '../../../src/protocol/definitions/grants/exchange.ts';
import { buildTokenRequest } from '../../../src/protocol/oauth/token.ts';
import { buildTokenExchange, readTokenType } from '../../../src/protocol/oauth/token-exchange.ts';

const subject = { subject_token: 'the-subject', subject_token_type: TOKEN_TYPES.access_token };

describe('a token type', () => {
  it.each(Object.keys(TOKEN_TYPES))('%s is short for its URN', (name) => {
    expect(readTokenType(name, '--a')).toBe(`urn:ietf:params:oauth:token-type:${name}`);
  });

  it.each(['urn:example:token', 'https://as.example/types/x'])('%s stays as it is', (uri) => {
    expect(readTokenType(uri, '--a')).toBe(uri);
  });

  it.each(['saml', 'toString', '', 'ID_TOKEN'])('%j is none, and the hint lists those that are', (text) => {
    expect(() => readTokenType(text, '--actor-token-type')).toThrow(
      expect.objectContaining({
        code: 'token_type_unknown',
        exitCode: 2,
        message: expect.stringContaining('--actor-token-type'),
        hint: expect.stringContaining('saml2'),
      }),
    );
  });
});

describe('a token exchange', () => {
  it('keeps audience and resource apart, and repeats each', () => {
    const values = buildTokenExchange({
      ...subject,
      audience: ['a', 'b'],
      resource: ['https://r.example/1', 'https://r.example/2'],
    });
    expect(buildTokenRequest(EXCHANGE_GRANT.grantType, values)).toEqual([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ['resource', 'https://r.example/1'],
      ['resource', 'https://r.example/2'],
      ['audience', 'a'],
      ['audience', 'b'],
      ['subject_token', 'the-subject'],
      ['subject_token_type', TOKEN_TYPES.access_token],
    ]);
  });

  it('calls an actor token an access token where nobody says otherwise', () => {
    expect(buildTokenExchange({ ...subject, actor_token: 'the-actor' })).toMatchObject({
      actor_token: 'the-actor',
      actor_token_type: TOKEN_TYPES.access_token,
    });
    expect(buildTokenExchange(subject).actor_token_type).toBeUndefined();
  });

  it('takes no type of an actor token that is not there', () => {
    expect(() => buildTokenExchange({ ...subject, actor_token_type: TOKEN_TYPES.jwt })).toThrow(
      expect.objectContaining({ code: 'actor_token_missing', exitCode: 2 }),
    );
  });
});

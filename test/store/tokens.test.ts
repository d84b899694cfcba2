import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { emptyFolder } from './folder.ts';

const kept = (access_token: string) => ({
  response: { access_token, 'not-before-policy': 0 },
  grant_type: 'client_credentials',
  issuer: 'https://as.example',
  client_id: 'a',
  received_at: 1,
});

describe('the token store', () => {
  it('keeps the last response of each owner, every member', async () => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    await tokens.keep('one', kept('first'));
    await tokens.keep('two', kept('other'));
    await tokens.keep('one', kept('second'));
    expect(await tokens.last('one')).toEqual(kept('second'));
    expect(await tokens.last('two')).toEqual(kept('other'));
  });

  it.each(['nobody', 'constructor', '__proto__'])('has nothing for %s, who had none', async (owner) => {
    const { tokens } = openStore({ OAUTHCTL_HOME: await emptyFolder() });
    await tokens.keep('one', kept('first'));
    expect(await tokens.last(owner)).toBeUndefined();
  });
});

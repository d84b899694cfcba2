import { describe, expect, it } from 'vitest';
import { type SettingInputs, Settings } from '../src/session/settings.ts';
import { findDefinition, SETTING_NAMES, SETTINGS } from '../src/settings.ts';

const settings = (inputs: Partial<SettingInputs>) =>
  new Settings({ flags: {}, env: {}, profile: undefined, ...inputs });

describe('a setting', () => {
  it('comes from the flag, else the environment, else the profile, and knows from where', () => {
    const flags = { issuer: 'https://flag.example' };
    const env = { OAUTHCTL_ISSUER: 'https://env.example' };
    const profile = { issuer: 'https://profile.example' };
    expect(settings({ flags, env, profile }).find('issuer')).toEqual({
      value: 'https://flag.example',
      source: 'flag',
    });
    expect(settings({ env, profile }).find('issuer')).toEqual({
      value: 'https://env.example',
      source: 'environment',
    });
    expect(settings({ profile }).find('issuer')).toEqual({
      value: 'https://profile.example',
      source: 'profile',
    });
    expect(settings({}).find('issuer')).toBeUndefined();
    expect(settings({}).get('issuer')).toBeUndefined();
  });

  it('falls back to its default', () => {
    expect(settings({}).find('timeout')).toEqual({ value: '30', source: 'default' });
    expect(settings({}).find('deviceListen')).toEqual({
      value: '127.0.0.1:3000/api/v1/auth',
      source: 'default',
    });
    expect(settings({ profile: { device_listen: ':1' } }).get('deviceListen')).toBe(':1');
  });

  it('is unset by an empty environment variable, and set by an empty flag', () => {
    const profile = { scope: 'openid' };
    expect(settings({ env: { OAUTHCTL_SCOPE: '' }, profile }).find('scope')?.source).toBe('profile');
    expect(settings({ flags: { scope: '' }, profile }).find('scope')).toEqual({ value: '', source: 'flag' });
  });

  it('that no profile may hold is not taken from one', () => {
    const profile = { proxy: 'http://a.example', timeout: '1' };
    expect(settings({ profile }).get('proxy')).toBeUndefined();
    expect(settings({ profile }).get('timeout')).toBe('30');
  });

  it('that is required and missing names its flag and its variable', () => {
    expect(() => settings({}).require('clientId', 'the client')).toThrow(
      expect.objectContaining({
        code: 'setting_missing',
        exitCode: 2,
        message: 'the client is missing',
        hint: expect.stringMatching(/--client-id.*OAUTHCTL_CLIENT_ID.*profile add/),
      }),
    );
    expect(settings({ flags: { clientId: 'a' } }).require('clientId', 'the client')).toBe('a');
  });

  it('has the default of the table, unless the command has another one', () => {
    const defaults = { timeout: '5' };
    expect(settings({ defaults }).find('timeout')).toEqual({ value: '5', source: 'default' });
    expect(settings({ defaults, env: { OAUTHCTL_TIMEOUT: '7' } }).get('timeout')).toBe('7');
  });

  it('is checked wherever it comes from, except from a default', () => {
    const checked: unknown[] = [];
    const found = new Settings(
      { flags: { issuer: 'a' }, env: { OAUTHCTL_DPOP: 'b' }, profile: { scope: 'c' } },
      (name, { value, source }) => checked.push([name, value, source]),
    );
    for (const name of ['issuer', 'dpop', 'scope', 'timeout', 'proxy'] as const) found.find(name);
    expect(checked).toEqual([
      ['issuer', 'a', 'flag'],
      ['dpop', 'b', 'environment'],
      ['scope', 'c', 'profile'],
    ]);
  });

  it.each(SETTING_NAMES)('%s is a member of a profile under the name of its flag, if at all', (name) => {
    const { flag, profileFlag = flag, profile } = findDefinition(name);
    expect([undefined, profileFlag.slice(2).replaceAll('-', '_')]).toContain(profile);
  });

  it.each(Object.entries(SETTINGS))(
    '%s has a flag, and an environment variable named after the setting',
    (name, { flag, env }) => {
      expect(flag).toMatch(/^--[a-z-]+$/);
      expect(env).toBe(`OAUTHCTL_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`);
    },
  );
});

describe('the description of the settings', () => {
  it('names each value and its source, and hides secrets and defaults', () => {
    const described = settings({
      flags: { issuer: 'https://as.example' },
      env: { OAUTHCTL_CLIENT_SECRET: 's3cret-value' },
      profile: { client_id: 'a', client_secret: 'other-secret' },
    }).describe();
    expect(described).toEqual([
      'issuer from flag: https://as.example',
      'client-id from profile: a',
      'client-secret from environment: (masked)',
    ]);
  });
});

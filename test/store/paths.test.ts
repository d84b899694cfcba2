import { isAbsolute } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storePaths } from '../../src/store/paths.ts';

describe('the places of the files', () => {
  it('are both OAUTHCTL_HOME where that is set', () => {
    expect(storePaths({ OAUTHCTL_HOME: '/elsewhere' })).toEqual({
      config: '/elsewhere',
      state: '/elsewhere',
    });
  });

  it.each([{}, { OAUTHCTL_HOME: '' }])('are two folders named oauthctl of the platform with %j', (env) => {
    const { config, state } = storePaths(env);
    expect(config).not.toBe(state);
    for (const folder of [config, state]) {
      expect(isAbsolute(folder)).toBe(true);
      expect(folder).toMatch(/oauthctl/);
      expect(folder).not.toMatch(/oauthctl-nodejs/);
    }
  });
});

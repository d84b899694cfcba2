import { expect, it } from 'vitest';
import { findScopeNotGranted } from '../../../src/protocol/oauth/granted-scope.ts';

it.each<[string | undefined, Record<string, unknown>, string[] | undefined]>([
  ['read write', { scope: 'read' }, ['write']],
  ['read write admin', { scope: 'admin other' }, ['read', 'write']],
  ['read', { scope: '' }, ['read']],
  ['read write', { scope: ['read'] }, ['write']],
  ['read write', { scope: ['write', 'read'] }, undefined],
  ['repo user', { scope: 'repo,user' }, undefined],
  ['read read', { scope: '' }, ['read']],
  ['read', { scope: 'write read' }, undefined],
  ['read', {}, undefined],
  ['read', { scope: null }, undefined],
  [undefined, { scope: '' }, undefined],
  ['', { scope: 'read' }, undefined],
  ['openid', { scope: 'profile', id_token: 'eyJ' }, undefined],
  ['openid', { scope: 'profile' }, ['openid']],
  ['openid', { scope: 'profile', id_token: '' }, ['openid']],
])('of the scope %j the response %j does not grant %j', (asked, json, missing) => {
  expect(findScopeNotGranted(asked, json)?.missing).toEqual(missing);
});

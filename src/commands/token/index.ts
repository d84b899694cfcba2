import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { GRANTS, type GrantName } from '../../protocol/definitions/grants/index.ts';
import { documentCommand, OFFLINE_GLOBALS } from '../../session/command-help.ts';
import { addReuseOptions } from '../../session/reuse.ts';
import { addSettings } from '../../session/setting-options.ts';
import { addTokenOptions } from '../../session/token-request.ts';
import { defineAuthorizationCode } from './code.ts';
import { defineDeviceGrant } from './device.ts';
import { TOKEN_EXCHANGE } from './exchange.ts';
import { defineGrant, type GrantHook } from './grant.ts';
import { JWT_BEARER } from './jwt-bearer.ts';
import { defineRefresh } from './refresh.ts';

/** Grants with more than one request. */
const FLOWS: Partial<Record<GrantName, (command: Command, ctx: Context) => void>> = {
  refresh: defineRefresh,
  code: defineAuthorizationCode,
  device: defineDeviceGrant,
};

/** The hooks of other grants. */
const HOOKS: Partial<Record<GrantName, GrantHook>> = {
  exchange: TOKEN_EXCHANGE,
  'jwt-bearer': JWT_BEARER,
};

/** `oauthctl token …` */
export function defineToken(command: Command, ctx: Context): void {
  for (const grant of GRANTS) {
    if (!grant.command.startsWith('token ')) continue;
    const subcommand = command.command(grant.name);
    subcommand.description(`${grant.summary} (${grant.specification})`);
    documentCommand(subcommand, grant);
    addReuseOptions(addTokenOptions(subcommand));
    const defineFlow = FLOWS[grant.name];
    if (defineFlow) defineFlow(subcommand, ctx);
    else defineGrant(subcommand, ctx, grant, HOOKS[grant.name]);
  }

  const kept = () => import('./kept.ts');
  const list = command.command('list').description('list the kept tokens, one line per profile');
  list.action(async () => (await kept()).runTokenList(ctx, list));
  documentCommand(list, { globals: OFFLINE_GLOBALS, examples: ['oauthctl token list'] });

  const show = command
    .command('show')
    .description('show the kept tokens of a profile: claims and lifetimes; raw with --json or --field')
    .argument('[profile]', 'whose tokens, as "token list" names it (default: the profile in use)');
  addSettings(show, 'issuer', 'clientId');
  show.action(async (name: string | undefined) => (await kept()).runTokenShow(ctx, show, name));
  documentCommand(show, {
    globals: [...OFFLINE_GLOBALS, 'profile'],
    examples: ['oauthctl token show', 'oauthctl token show sample --field access_token'],
  });

  const forget = command
    .command('forget')
    .description('remove the kept tokens of a profile from this machine; no request is sent to the server')
    .argument('[profile]', 'whose tokens, as "token list" names it (default: the profile in use)')
    .option('--all', 'of every profile');
  addSettings(forget, 'issuer', 'clientId');
  forget.action(async (name: string | undefined) => (await kept()).runTokenForget(ctx, forget, name));
  documentCommand(forget, {
    globals: [...OFFLINE_GLOBALS, 'profile', 'input'],
    examples: ['oauthctl token forget', 'oauthctl token forget --all'],
  });
  documentCommand(command, {
    examples: [
      'oauthctl token client-credentials',
      'oauthctl token code --scope openid',
      'oauthctl token show',
    ],
  });
}

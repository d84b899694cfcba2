import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { CALLBACK_STATUS } from '../../protocol/ciba/keycloak-ciba.ts';
import { documentCommand, NETWORK_GLOBALS } from '../../session/command-help.ts';
import { createDpopClaimOption } from '../../session/dpop.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { addReuseOptions } from '../../session/reuse.ts';
import {
  acceptServerOptions,
  addServerOptions,
  addSetting,
  addSettings,
} from '../../session/setting-options.ts';
import { HELP_GROUPS } from '../../settings.ts';

/** `oauthctl ciba …` */
export function defineCiba(command: Command, ctx: Context): void {
  documentCommand(command, { examples: ['oauthctl ciba start', 'oauthctl ciba device --approve'] });
  defineStart(command.command('start'), ctx);
  defineRequest(command.command('request'), ctx);
  definePoll(command.command('poll'), ctx);
  defineDevice(command.command('device'), ctx);
  defineCallback(command.command('callback'), ctx);
}

function defineStart(command: Command, ctx: Context): void {
  command.description('the whole CIBA flow, steps 1 to 10');
  addRequestOptions(addServerOptions(command));
  addPollOptions(command);
  addReuseOptions(command).addOption(keepOption());
  addRuleOptions(command.option('--device', 'be the authentication device as well')).action(async () =>
    (await actions()).runStart(ctx, command),
  );
  documentCommand(command, {
    notes:
      'Without a profile and an issuer it runs on the built-in sandbox. On Keycloak, without --device, run ' +
      '"oauthctl ciba device" in another terminal.',
    examples: ['oauthctl ciba start', 'oauthctl ciba start --login-hint cl-taro --device --approve'],
  });
}

function defineRequest(command: Command, ctx: Context): void {
  command.description('steps 1 and 2: send the authentication request');
  addSetting(addRequestOptions(addServerOptions(command)), 'pendingError')
    .addOption(intervalOption())
    .action(async () => (await actions()).runRequest(ctx, command));
  documentCommand(command, {
    examples: ['oauthctl ciba request --login-hint cl-taro --field auth_req_id --show-secrets'],
  });
}

function definePoll(command: Command, ctx: Context): void {
  command
    .description('steps 5, 6, 9 and 10: poll for the tokens')
    .addArgument(
      createReferenceArgument('[auth_req_id]', 'the request to poll for, or - (default: the last one)'),
    );
  addPollOptions(addServerOptions(command))
    .option('--once', 'send one poll; exit 8 while the request is pending')
    .addOption(keepOption())
    .action(async (id: string | undefined) => (await actions()).runPoll(ctx, command, id));
  documentCommand(command, { examples: ['oauthctl ciba poll', 'oauthctl ciba poll --once --json'] });
}

function defineDevice(command: Command, ctx: Context): void {
  command.description(
    "steps 3, 4, 7 and 8: be the authentication device of Keycloak's ciba-http-auth-channel",
  );
  addRuleOptions(acceptServerOptions(command, 'issuer', 'acceptIssuer'))
    .option('--count <n>', 'end after so many delegations')
    .option('--any-issuer', 'accept delegations of any issuer, unverified (in a laboratory only)')
    .action(async () => (await actions()).runDeviceCommand(ctx, command));
  documentCommand(command, {
    globals: NETWORK_GLOBALS,
    examples: ['oauthctl ciba device', 'oauthctl ciba device --approve --after 5 --count 1'],
  });
}

function defineCallback(command: Command, ctx: Context): void {
  command
    .description('steps 7 and 8: send the result of a delegation that was held')
    .argument('<result>', `one of ${Object.keys(CALLBACK_STATUS).join(', ')}`);
  acceptServerOptions(command)
    .option('--bearer <ref>', 'the bearer of the delegation (default: that of the last held one)')
    .action(async (result: string) => (await import('./callback.ts')).runCallback(ctx, command, result));
  documentCommand(command, {
    globals: NETWORK_GLOBALS,
    examples: [
      'oauthctl ciba callback succeed',
      'oauthctl ciba callback unauthorized --bearer file:bearer.txt',
    ],
  });
}

function addRequestOptions(command: Command): Command {
  addSetting(command, 'loginHint');
  return addSetting(command, 'scope', { defaultText: 'openid' })
    .option('--login-hint-token <ref>', 'a token that identifies the user')
    .option('--id-token-hint <ref>', 'an ID token of the user')
    .option('--binding-message <text>', 'shown on the device')
    .option('--acr-values <values>', 'authentication context classes')
    .option('--user-code <ref>', 'the code of the user; it is never stored')
    .option('--requested-expiry <seconds>', 'how long the request should live');
}

function addPollOptions(command: Command): Command {
  return addSettings(command, 'pendingError', 'idTokenAlg', 'trustAudience', 'leeway')
    .addOption(intervalOption())
    .option('--deadline <seconds>', 'give up after so long, exit 6')
    .addOption(createDpopClaimOption());
}

function addRuleOptions(command: Command): Command {
  return addSettings(command, 'deviceListen')
    .option('--approve', 'approve every delegation (SUCCEED)')
    .option('--deny', 'deny every delegation (UNAUTHORIZED)')
    .option('--cancel', 'cancel every delegation (CANCELLED)')
    .addOption(new Option('--ignore', 'answer 201 and never send a result').helpGroup(HELP_GROUPS.provoke))
    .option('--hold', 'keep delegations for "oauthctl ciba callback"')
    .option('--after <when>', 'decide after so many seconds, or after "pending"')
    .addOption(
      new Option('--respond <status>', 'answer the delegation with this status instead of 201').helpGroup(
        HELP_GROUPS.provoke,
      ),
    );
}

function intervalOption(): Option {
  return new Option('--interval <seconds>', "between polls, instead of the server's");
}

function keepOption(): Option {
  return new Option('--no-keep', 'keep no tokens on disk');
}

/** What the subcommands do is loaded when one of them runs. */
function actions() {
  return import('./actions.ts');
}

import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { CALLBACK_STATUS } from '../../protocol/ciba/keycloak-ciba.ts';
import { dpopClaimOption } from '../../session/dpop.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { addReuseOptions } from '../../session/reuse.ts';
import { addServerOptions, addSetting, addSettings } from '../../session/setting-options.ts';

/** `oauthctl ciba …` */
export function defineCiba(command: Command, ctx: Context): void {
  const start = command.command('start').description('the whole flow, steps 1 to 10');
  addPollOptions(addRequestOptions(addServerOptions(start)));
  addReuseOptions(start);
  addRuleOptions(start.option('--device', 'play the authentication device in this process as well'))
    .addOption(keepOption())
    .addHelpText(
      'after',
      '\nWithout a profile and an issuer it runs on the built-in sandbox. On Keycloak, without --device, run\n"oauthctl ciba device" elsewhere.',
    )
    .action(async () => (await actions()).runStart(ctx, start));

  const request = command.command('request').description('steps 1 and 2: ask for an authentication');
  addRequestOptions(addServerOptions(request))
    .addOption(intervalOption())
    .action(async () => (await actions()).runRequest(ctx, request));

  const poll = command
    .command('poll')
    .description('steps 5, 6, 9 and 10: ask for the tokens until they are there')
    .addArgument(
      createReferenceArgument('[auth_req_id]', 'the request to poll for, or - (default: the last one)'),
    );
  addPollOptions(addServerOptions(poll))
    .option('--once', 'send one poll; exit 8 while it is pending')
    .addOption(keepOption())
    .action(async (id: string | undefined) => (await actions()).runPoll(ctx, poll, id));

  const device = command
    .command('device')
    .description("steps 3, 4, 7 and 8: be the authentication device of Keycloak's ciba-http-auth-channel");
  addRuleOptions(addServerOptions(device))
    .option('--count <n>', 'end after so many delegations')
    .option('--any-issuer', 'take delegations of any issuer, unverified (in a laboratory only)')
    .action(async () => (await actions()).runDeviceCommand(ctx, device));

  const callback = command
    .command('callback')
    .description('steps 7 and 8: send the result of a delegation that was held')
    .argument('<result>', `one of ${Object.keys(CALLBACK_STATUS).join(', ')}`);
  addServerOptions(callback)
    .option(
      '--bearer <ref>',
      "the delegation's bearer: env:NAME, file:PATH, cmd:COMMAND or - (default: the last held)",
    )
    .action(async (result: string) => (await import('./callback.ts')).runCallback(ctx, callback, result));
}

function addRequestOptions(command: Command): Command {
  addSetting(command, 'loginHint');
  addSetting(command, 'scope', { defaultText: 'openid' });
  return command
    .option('--login-hint-token <ref>', 'a token that says who; @FILE, env:NAME, file:PATH, cmd:COMMAND or -')
    .option(
      '--id-token-hint <ref>',
      'an ID token that says who; @last.id_token, @FILE, env:NAME, file:PATH, cmd:COMMAND or -',
    )
    .option('--binding-message <text>', 'shown on the device, to tie both ends together')
    .option('--acr-values <values>', 'authentication context classes, by preference')
    .option('--user-code <ref>', "the person's code; env:NAME, file:PATH, cmd:COMMAND or -; never stored")
    .option('--requested-expiry <seconds>', 'how long the request should live');
}

function addPollOptions(command: Command): Command {
  return addSettings(command, 'idTokenAlg')
    .addOption(intervalOption())
    .option('--deadline <seconds>', 'give up after so long, exit 6 (default: when the request expires)')
    .addOption(
      new Option(
        '--pending-error <error>',
        'an error that means "pending" at this server; repeatable',
      ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]),
    )
    .addOption(dpopClaimOption());
}

function addRuleOptions(command: Command): Command {
  return addSettings(command, 'deviceListen')
    .option('--approve', 'approve every delegation (SUCCEED)')
    .option('--deny', 'deny every delegation (UNAUTHORIZED)')
    .option('--cancel', 'cancel every delegation (CANCELLED)')
    .option('--ignore', 'answer 201 and never send a result')
    .option('--hold', 'keep delegations for "oauthctl ciba callback"')
    .option(
      '--after <seconds|pending>',
      'decide so much later, or once the client was told authorization_pending',
    )
    .option(
      '--respond <status>',
      'answer the delegation with this status instead of 201, to provoke the server',
    );
}

function intervalOption(): Option {
  return new Option('--interval <seconds>', "between polls, in place of the server's");
}

function keepOption(): Option {
  return new Option('--no-keep', 'keep no tokens on disk');
}

/** What the subcommands do is loaded when one of them runs. */
function actions() {
  return import('./actions.ts');
}

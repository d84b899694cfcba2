import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import { createRepeatableOption } from '../../session/options.ts';
import { addParameterOptions } from '../../session/parameters.ts';
import { addSettings } from '../../session/setting-options.ts';

/** `oauthctl token code` */
export function defineAuthorizationCode(command: Command, ctx: Context): void {
  addSettings(
    addParameterOptions(addSettings(command, 'loginHint', 'redirectUri'), REQUESTS.authorization),
    'responseType',
    'responseMode',
    'par',
    'requestObject',
  )
    .option('--no-browser', 'open no browser; the address is printed in any case')
    .option(
      '--no-preflight',
      'do not request the address without a session first, to see whether the server refuses it',
    )
    .option('--deadline <seconds>', 'give up when nobody has come back by then, exit 6 (default: 300)')
    .option('--fail-fast', 'end at the first response whose state is missing or wrong, exit 4')
    .option('--listen <host:port>', 'listen here, where that is another address than the redirect URI')
    .option('--redirect-cert <file>', 'certificate of a redirect URI of https, PEM')
    .option('--redirect-key <file>', 'its private key, PEM')
    .option(
      '--paste',
      'listen nowhere: the address that the browser ends up at is pasted, or is standard input',
    )
    .option('--request-object-key <file>', 'what it is signed with (default: the key of the client)')
    .option(
      '--request-object-alg <alg>',
      'how it is signed; HS256 and its like with the client secret, or none',
    )
    .option('--request-object-encryption-alg <alg>', "encrypt it as well, with a key of the server's")
    .option('--request-object-encryption-enc <enc>', 'how its content is encrypted')
    .addOption(
      createRepeatableOption('--token-param <name=value>', 'add or replace a parameter of the token request'),
    )
    .addOption(createRepeatableOption('--token-omit <name>', 'leave out a parameter of the token request'))
    .action(async () => (await import('./code-run.ts')).runAuthorizationCode(ctx, command));
}

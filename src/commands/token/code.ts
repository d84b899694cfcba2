import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { RESPONSE_MODES } from '../../protocol/oauth/authorization.ts';
import { repeatable } from '../../session/repeatable.ts';
import { addReuseOptions } from '../../session/reuse.ts';
import { addTokenOptions } from '../../session/token-request.ts';

/** `oauthctl token code` */
export function defineAuthorizationCode(command: Command, ctx: Context): void {
  command.description('a person signs in with a browser (RFC 6749 §4.1), with PKCE, state and nonce');
  addReuseOptions(addTokenOptions(command))
    .option('--no-browser', 'open no browser; the address is printed in any case')
    .option('--deadline <seconds>', 'give up when nobody has come back by then, exit 6 (default: 300)')
    .option(
      '--redirect-uri <uri>',
      'where the browser comes back to; a loopback address without a port takes a free one (default: http://127.0.0.1/callback)',
    )
    .option('--listen <host:port>', 'listen here, where that is another address than the redirect URI')
    .option('--redirect-cert <file>', 'certificate of a redirect URI of https, PEM')
    .option('--redirect-key <file>', 'its private key, PEM')
    .option(
      '--paste',
      'listen nowhere: the address that the browser ends up at is pasted, or is standard input',
    )
    .option('--login-hint <user>', 'who is to sign in')
    .option('--prompt <values>', 'none, login, consent, select_account')
    .option('--max-age <seconds>', 'sign in anew when it was longer ago')
    .option('--acr-values <values>', 'authentication context classes, by preference')
    .option('--claims <json>', 'claims to ask for one by one: JSON or @FILE')
    .option('--ui-locales <tags>', 'languages of the login page, by preference')
    .option('--display <value>', 'page, popup, touch or wap')
    .option('--kc-idp-hint <alias>', 'Keycloak: the identity provider to go to at once')
    .option('--authorization-details <json>', 'what exactly is to be allowed (RFC 9396): JSON or @FILE')
    .addOption(repeatable('--resource <uri>', 'the address of a service to use the token at; repeatable'))
    .option('--response-type <type>', 'code, or with id_token and token the old kinds, for a test', 'code')
    .addOption(new Option('--response-mode <mode>', 'how the answer comes back').choices([...RESPONSE_MODES]))
    .option('--par', 'push the request first (RFC 9126; by itself where the server requires it)')
    .option('--request-object', 'sign the request (RFC 9101; by itself where the server requires it)')
    .option('--request-object-key <file>', 'what it is signed with (default: the key of the client)')
    .option(
      '--request-object-alg <alg>',
      'how it is signed; HS256 and its like with the client secret, or none',
    )
    .option('--request-object-encryption-alg <alg>', "encrypt it as well, with a key of the server's")
    .option('--request-object-encryption-enc <enc>', 'how its content is encrypted')
    .addOption(
      repeatable('--token-param <name=value>', 'add or replace a parameter of the token request; repeatable'),
    )
    .addOption(repeatable('--token-omit <name>', 'leave a parameter of the token request out; repeatable'))
    .addHelpText(
      'after',
      '\n--param and --omit act on the authorization request, wherever it travels: in the address, pushed, or signed.',
    )
    .action(async () => (await import('./code-run.ts')).runAuthorizationCode(ctx, command));
}

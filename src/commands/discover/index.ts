import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { discover, findIssuerByWebFinger, findKeycloakRealm } from '../../flows/server/discover.ts';
import { printable } from '../../output/printable.ts';
import { documentCommand, NETWORK_GLOBALS } from '../../session/command-help.ts';
import { openSession, printResult } from '../../session/session.ts';
import { acceptServerOptions } from '../../session/setting-options.ts';

const LISTS = [
  ['grants', 'grant_types_supported'],
  ['client authentication', 'token_endpoint_auth_methods_supported'],
  ['scopes', 'scopes_supported'],
  ['CIBA delivery modes', 'backchannel_token_delivery_modes_supported'],
  ['CIBA signing algorithms', 'backchannel_authentication_request_signing_alg_values_supported'],
  ['ID token algorithms', 'id_token_signing_alg_values_supported'],
  ['response types', 'response_types_supported'],
  ['response modes', 'response_modes_supported'],
  ['PKCE', 'code_challenge_methods_supported'],
  ['DPoP algorithms', 'dpop_signing_alg_values_supported'],
] as const;

/** `oauthctl discover` */
export function defineDiscover(command: Command, ctx: Context): void {
  acceptServerOptions(command, 'issuer', 'acceptIssuer')
    .argument(
      '[issuer]',
      'the issuer identifier, the URL of the metadata, or acct:NAME@HOST (default: the issuer of the profile)',
    )
    .option(
      '--url <url>',
      'the base URL of a Keycloak, with --realm: finds the realm below /realms or /auth/realms',
    )
    .option('--realm <name>', 'the realm, with --url')
    .action((issuer: string | undefined) => runDiscover(ctx, command, issuer));
  documentCommand(command, {
    globals: NETWORK_GLOBALS,
    examples: [
      'oauthctl discover https://as.example',
      'oauthctl discover --url http://127.0.0.1:8080 --realm SampleRealm --json',
    ],
  });
}

async function runDiscover(base: Context, command: Command, argument: string | undefined): Promise<void> {
  const session = await openSession(base, command, {
    given: { issuer: argument?.startsWith('acct:') ? undefined : argument },
  });
  const { ctx, settings } = session;
  const { url, realm } = command.opts<{ url?: string; realm?: string }>();
  if ((url === undefined) !== (realm === undefined)) {
    throw new UsageError('url_and_realm', '--url and --realm must be given together');
  }
  const acceptIssuer = settings.get('acceptIssuer');
  const account = argument?.startsWith('acct:') ? argument : undefined;
  const found =
    url !== undefined && realm !== undefined
      ? await findKeycloakRealm(ctx, { url, realm, acceptIssuer })
      : await discover(ctx, {
          issuer:
            account === undefined
              ? settings.require('issuer', 'the authorization server')
              : await findIssuerByWebFinger(ctx, account),
          acceptIssuer,
        });
  const { metadata } = found;
  printResult(session, metadata, () => {
    const { paint } = session.reporter;
    const endpoints = Object.entries(metadata).filter(
      ([name, value]) => typeof value === 'string' && /_endpoint$|^jwks_uri$/.test(name),
    );
    const width = Math.max(...endpoints.map(([name]) => name.length), 24);
    return [
      `${paint.bold('issuer'.padEnd(width))}  ${printable(metadata.issuer)}`,
      `${paint.bold('metadata'.padEnd(width))}  ${found.url}`,
      '',
      ...endpoints.map(([name, value]) => `${printable(name).padEnd(width)}  ${printable(String(value))}`),
      '',
      ...LISTS.flatMap(([label, name]) => {
        const values = metadata[name];
        if (!Array.isArray(values)) return [];
        return [`${label.padEnd(width)}  ${values.length > 0 ? printable(values.join(' ')) : 'none'}`];
      }),
      '',
    ].join('\n');
  });
}

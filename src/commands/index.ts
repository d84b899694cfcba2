import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { GRANTS } from '../protocol/definitions/grants/index.ts';

/** Declares a noun's subcommands and options on the given command. */
export type Define = (command: Command, ctx: Context) => void;

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loads the code of the command; called only if this command is run. */
  readonly load: () => Promise<Define>;
}

function listTokenGrants(): string {
  return GRANTS.filter(({ command }) => command.startsWith('token '))
    .map(({ name }) => name)
    .join(', ');
}

/** All commands, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'ciba',
    summary: 'client-initiated backchannel authentication: the client and the authentication device',
    load: async () => (await import('./ciba/index.ts')).defineCiba,
  },
  {
    name: 'token',
    summary: `request tokens: ${listTokenGrants()}; list, show, forget`,
    load: async () => (await import('./token/index.ts')).defineToken,
  },
  {
    name: 'introspect',
    summary: 'ask the server whether a token is active, and for its claims',
    load: async () => (await import('./introspect/index.ts')).defineIntrospect,
  },
  {
    name: 'revoke',
    summary: 'revoke a token',
    load: async () => (await import('./revoke/index.ts')).defineRevoke,
  },
  {
    name: 'userinfo',
    summary: 'ask the server who the user of an access token is',
    load: async () => (await import('./userinfo/index.ts')).defineUserinfo,
  },
  {
    name: 'logout',
    summary: 'end the session of the kept tokens, by refresh token or in a browser',
    load: async () => (await import('./logout/index.ts')).defineLogout,
  },
  {
    name: 'call',
    summary: 'a request to a protected resource with the kept token: Bearer, DPoP or mTLS',
    load: async () => (await import('./call/index.ts')).defineCall,
  },
  {
    name: 'jwt',
    summary: 'decode JWTs, and verify them by issuer, JWKS, key or secret; many at once',
    load: async () => (await import('./jwt/index.ts')).defineJwt,
  },
  {
    name: 'validate',
    summary: 'validate a token locally and by introspection, side by side; watch for changes',
    load: async () => (await import('./validate/index.ts')).defineValidate,
  },
  {
    name: 'key',
    summary: 'make and show keys for client authentication and the like',
    load: async () => (await import('./key/index.ts')).defineKey,
  },
  {
    name: 'profile',
    summary: 'the store of servers, clients and defaults',
    load: async () => (await import('./profile/index.ts')).defineProfile,
  },
  {
    name: 'discover',
    summary: "show an authorization server's metadata",
    load: async () => (await import('./discover/index.ts')).defineDiscover,
  },
  {
    name: 'serve',
    summary: 'a resource server for access tokens of several issuers',
    load: async () => (await import('./serve/index.ts')).defineServe,
  },
  {
    name: 'kafka',
    summary: 'authenticate to a Kafka broker by SASL OAUTHBEARER, and show its verdict on a token',
    load: async () => (await import('./kafka/index.ts')).defineKafka,
  },
  {
    name: 'sandbox',
    summary: 'run the built-in authorization server',
    load: async () => (await import('./sandbox/index.ts')).defineSandbox,
  },
];

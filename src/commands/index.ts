import type { Command } from 'commander';
import type { Context } from '../context.ts';

/** Declares a noun's subcommands and options on the command it is given. */
export type Define = (command: Command, ctx: Context) => void;

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loads the command's own code, which happens only when it is the one that is meant. */
  readonly load: () => Promise<Define>;
}

/** All commands, in the order of the help. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'ciba',
    summary: 'client-initiated backchannel authentication: the client and the authentication device',
    load: async () => (await import('./ciba.ts')).defineCiba,
  },
  {
    name: 'token',
    summary:
      'request tokens: client-credentials, password, refresh, device, exchange, jwt-bearer; list, show, forget',
    load: async () => (await import('./token.ts')).defineToken,
  },
  {
    name: 'key',
    summary: 'make and show keys for client authentication and the like',
    load: async () => (await import('./key.ts')).defineKey,
  },
  {
    name: 'profile',
    summary: 'the store of realms, clients and defaults',
    load: async () => (await import('./profile.ts')).defineProfile,
  },
  {
    name: 'discover',
    summary: "show an authorization server's metadata",
    load: async () => (await import('./discover.ts')).defineDiscover,
  },
  {
    name: 'sandbox',
    summary: 'run the built-in authorization server',
    load: async () => (await import('./sandbox.ts')).defineSandbox,
  },
];

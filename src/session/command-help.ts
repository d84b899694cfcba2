import type { Command } from 'commander';
import type { GlobalOptions } from './global-options.ts';

/** The global options of a command that neither speaks to a server nor asks anything. */
export const OFFLINE_GLOBALS = ['json', 'field', 'quiet', 'showSecrets'] as const;

/** The global options of a command that sends requests whose parameters are not those of a protocol. */
export const NETWORK_GLOBALS = [
  ...OFFLINE_GLOBALS,
  'profile',
  'verbose',
  'trace',
  'curl',
  'input',
  'timeout',
  'caCert',
  'insecure',
  'cert',
  'key',
  'proxy',
] as const;

/** What the help of a command says beside its options. */
export interface CommandHelp {
  /** One to three command lines that work as they stand. */
  readonly examples: readonly string[];
  /** What the description is too short for. */
  readonly notes?: string;
  /** The global options that mean something to it; absent for all of them. */
  readonly globals?: readonly (keyof GlobalOptions)[];
}

const helps = new WeakMap<Command, CommandHelp>();

/** Sets what the help of a command says beside its options. */
export function documentCommand(command: Command, help: CommandHelp): Command {
  helps.set(command, help);
  return command;
}

/** What documentCommand has set. */
export function findCommandHelp(command: Command): CommandHelp | undefined {
  return helps.get(command);
}

import type { Command } from 'commander';

/** The global options, by their attributes, of a command that neither speaks to a server nor asks anything. */
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
  /** The options of the commands above it that mean something to it, by their attributes; absent for all of them. */
  readonly globals?: readonly string[];
}

const helps = new WeakMap<Command, CommandHelp>();

/** Sets what the help of a command says beside its options; what was set before and is not set now stays. */
export function documentCommand(command: Command, help: Partial<CommandHelp>): Command {
  helps.set(command, { examples: [], ...helps.get(command), ...help });
  return command;
}

/** What documentCommand has set. */
export function findCommandHelp(command: Command): CommandHelp | undefined {
  return helps.get(command);
}

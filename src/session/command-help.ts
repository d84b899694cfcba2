import type { Command } from 'commander';

/** The global options, by their attributes, of a command that sends no requests and does not prompt. */
export const OFFLINE_GLOBALS = ['json', 'field', 'quiet', 'showSecrets'] as const;

/** The global options of a command that sends requests without protocol parameters. */
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

/** The parts of a command's help other than its options. */
export interface CommandHelp {
  /** One to three complete command lines. */
  readonly examples: readonly string[];
  /** Details that are too long for the description. */
  readonly notes?: string;
  /** The options of its parent commands that apply to it, by their attributes; absent if all of them do. */
  readonly globals?: readonly string[];
}

const helps = new WeakMap<Command, CommandHelp>();

/** Sets the parts of a command's help other than its options; parts that are not given keep their value. */
export function documentCommand(command: Command, help: Partial<CommandHelp>): Command {
  helps.set(command, { examples: [], ...helps.get(command), ...help });
  return command;
}

/** Returns what documentCommand has set. */
export function findCommandHelp(command: Command): CommandHelp | undefined {
  return helps.get(command);
}

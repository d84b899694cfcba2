import type { Command } from 'commander';
import type { GrantedTokens, TokenEvent } from '../flows/token/token.ts';
import { createDpopClaimOption } from './dpop.ts';
import type { Session } from './session.ts';
import { addServerOptions, addSettings } from './setting-options.ts';

export interface TokenFlags {
  readonly keep: boolean;
}

/** Options of every command that requests tokens. */
export function addTokenOptions(command: Command): Command {
  return addSettings(addServerOptions(command), 'scope', 'idTokenAlg', 'trustAudience', 'leeway')
    .addOption(createDpopClaimOption())
    .option('--no-keep', 'do not keep the tokens on disk');
}

/** Runs a flow of one token request, reports its steps and prints the tokens. */
export async function runTokenFlow(
  session: Session,
  flow: (onEvent: (event: TokenEvent) => void) => Promise<GrantedTokens>,
): Promise<void> {
  const [{ TokenSteps }, { printTokens }] = await Promise.all([
    import('../steps/token-steps.ts'),
    import('./token-output.ts'),
  ]);
  const steps = new TokenSteps(session.reporter);
  try {
    const { tokens, idToken } = await flow(steps.report);
    await printTokens(session, tokens, idToken);
  } catch (error) {
    steps.failed(error);
    throw error;
  }
}

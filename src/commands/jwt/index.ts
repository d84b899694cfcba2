import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { documentCommand } from '../../session/command-help.ts';
import { defineJwtDecode } from './decode.ts';
import { defineJwtVerify } from './verify.ts';

/** `oauthctl jwt …` */
export function defineJwt(command: Command, ctx: Context): void {
  documentCommand(command, {
    examples: [
      'oauthctl jwt decode @last.access_token',
      'oauthctl jwt verify @token.txt --issuer https://as.example',
    ],
  });
  defineJwtDecode(command.command('decode'), ctx);
  defineJwtVerify(command.command('verify'), ctx);
}

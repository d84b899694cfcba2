import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { defineJwtDecode } from './decode.ts';
import { defineJwtVerify } from './verify.ts';

/** `oauthctl jwt …` */
export function defineJwt(command: Command, ctx: Context): void {
  defineJwtDecode(command.command('decode'), ctx);
  defineJwtVerify(command.command('verify'), ctx);
}

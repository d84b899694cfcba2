import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { defineKafkaConnect } from './connect.ts';
import { defineKafkaExplain } from './explain.ts';

/** `oauthctl kafka …` */
export function defineKafka(command: Command, ctx: Context): void {
  defineKafkaConnect(command.command('connect'), ctx);
  defineKafkaExplain(command.command('explain'), ctx);
}

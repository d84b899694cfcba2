import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { documentCommand } from '../../session/command-help.ts';
import { defineKafkaConnect } from './connect.ts';
import { defineKafkaExplain } from './explain.ts';

/** `oauthctl kafka …` */
export function defineKafka(command: Command, ctx: Context): void {
  documentCommand(command, {
    examples: ['oauthctl kafka connect --bootstrap 127.0.0.1:9092', 'oauthctl kafka explain'],
  });
  defineKafkaConnect(command.command('connect'), ctx);
  defineKafkaExplain(command.command('explain'), ctx);
}

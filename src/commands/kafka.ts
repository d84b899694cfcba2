import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { defineKafkaConnect } from './kafka-connect.ts';
import { defineKafkaExplain } from './kafka-explain.ts';

/** `oauthctl kafka …` */
export function defineKafka(command: Command, ctx: Context): void {
  defineKafkaConnect(command.command('connect'), ctx);
  defineKafkaExplain(command.command('explain'), ctx);
}

import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import type { TokenSource } from '../../flows/kafka/broker-sessions.ts';
import { connectToKafka, type KafkaConnectOptions, type KafkaResult } from '../../flows/kafka/connect.ts';
import { brokerError } from '../../flows/kafka/refusal.ts';
import type { BrokerValidation } from '../../flows/kafka/validation.ts';
import type { Target } from '../../flows/server/target.ts';
import { parseBootstrap } from '../../protocol/kafka/oauthbearer.ts';
import { isLoopbackHost } from '../../protocol/loopback.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { parseCount, parseParameters, parseSeconds } from '../../session/option-values.ts';
import { createRepeatableOption } from '../../session/options.ts';
import { openSession, type Session } from '../../session/session.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import { addTokenOptions, type TokenFlags } from '../../session/token-request.ts';
import { KafkaSteps } from '../../steps/kafka-steps.ts';
import { TokenSteps } from '../../steps/token-steps.ts';
import { reportValidation } from '../../steps/validate-steps.ts';
import { printKafkaResult } from './output.ts';

interface ConnectFlags extends TokenFlags {
  readonly bootstrap: string;
  readonly token?: string;
  /** True if no refresh token was given. */
  readonly refresh?: string | true;
  readonly ssl?: true;
  readonly saslExtension?: readonly string[];
  readonly topic?: string;
  readonly produce?: string;
  readonly consume?: string;
  readonly hold?: string;
  readonly validate?: true;
}

/** `oauthctl kafka connect` */
export function defineKafkaConnect(command: Command, ctx: Context): void {
  addTokenOptions(command)
    .description('authenticate to a broker by SASL OAUTHBEARER, and show its verdict')
    .requiredOption('--bootstrap <brokers>', 'HOST:PORT, or several, separated by commas')
    .addOption(
      new Option(
        '--token <ref>',
        'an access token: -, @FILE, @last.access_token or the token itself (default: client credentials)',
      ).conflicts('refresh'),
    )
    .option('--refresh [ref]', 'request the access token with the kept refresh token, or this one')
    .option('--ssl', 'use SASL_SSL, with --ca-cert, --cert, --key and --insecure')
    .addOption(createRepeatableOption('--sasl-extension <name=value>', 'a SASL extension for the broker'))
    .option('--topic <topic>', 'the topic to use')
    .option('--produce <message>', 'write this message to the topic')
    .option('--consume <count>', 'read this number of the newest messages of the topic')
    .option('--hold <seconds>', 'keep the session open, and re-authenticate with new tokens before it ends')
    .option('--validate', 'compare the verdict with a local check and with introspection by the client')
    .action(() => runConnect(ctx, command));
  documentCommand(command, {
    notes:
      'The exit code is 0 if the broker accepted the token, 4 if it refused it, 3 if it could not decide. With --json, the ' +
      'verdict is on stdout after 0, else in the error on stderr, as "kafka". No proxy is used for brokers.',
    examples: [
      'oauthctl kafka connect --bootstrap 127.0.0.1:9092',
      'oauthctl kafka connect --bootstrap broker.example:9093 --ssl --topic orders --consume 5',
    ],
  });
}

async function runConnect(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<ConnectFlags>();
  const options = { ...readOptions(flags), tokens: await openTokens(session, flags) };
  if (!options.isTls && !options.bootstrap.every(({ host }) => isLoopbackHost(host)))
    session.reporter.warning(
      'the token is sent to the broker unencrypted; use --ssl with a SASL_SSL listener',
    );
  const steps = new KafkaSteps(session.reporter);
  try {
    const result = await connectToKafka(session.ctx, options, steps.report);
    const validation = flags.validate ? await validated(session, result) : undefined;
    const failure = brokerError(result);
    await printKafkaResult(session, result, { failure, validation });
    if (failure !== undefined) throw failure;
  } finally {
    session.reporter.settle();
  }
}

async function validated(session: Session, result: KafkaResult): Promise<BrokerValidation> {
  const { compareWithBroker } = await import('../../flows/kafka/validation.ts');
  const target = await connect(session, { certificateFor: 'broker' });
  return compareWithBroker(session.ctx, { target, result }, (event) =>
    reportValidation(session.reporter, event),
  );
}

function readOptions(flags: ConnectFlags): Omit<KafkaConnectOptions, 'tokens'> {
  const { topic, produce, consume, hold } = flags;
  if (topic === undefined && (produce !== undefined || consume !== undefined)) {
    throw new UsageError('topic_missing', '--produce and --consume require --topic', {
      hint: 'Add --topic NAME.',
    });
  }
  const holdSeconds = parseSeconds(hold, '--hold', { mayBeZero: true });
  return {
    bootstrap: parseBootstrap(flags.bootstrap),
    isTls: flags.ssl === true,
    extensions: parseParameters(flags.saslExtension, '--sasl-extension'),
    topic,
    message: produce,
    consume: parseCount(consume, '--consume', { min: 1, max: 99_999 }),
    holdMs: holdSeconds === undefined ? undefined : holdSeconds * 1000,
  };
}

/** @throws UsageError `curl_unfit`, and as readTokenArgument and connect */
async function openTokens(session: Session, { token, refresh, keep }: ConnectFlags): Promise<TokenSource> {
  const { ctx, settings, reporter, globals } = session;
  if (token !== undefined) {
    if (globals.curl)
      throw new UsageError('curl_unfit', '--curl shows an HTTP request, and with --token none is sent');
    const given = await readTokenArgument(session, token, ['access_token']);
    return { isRenewable: false, next: async () => given };
  }
  const given =
    typeof refresh === 'string' ? await readTokenArgument(session, refresh, ['refresh_token']) : undefined;
  // Tokens of the client itself do not replace kept tokens of a user.
  const target = await connect(session, {
    keepTokens: keep && refresh !== undefined,
    certificateFor: 'broker',
  });
  const steps = new TokenSteps(reporter);
  const request = await requesting(ctx, target, {
    refresh: refresh !== undefined,
    given,
    scope: settings.get('scope'),
  });
  return {
    isRenewable: true,
    async next() {
      try {
        const { tokens } = await request(steps.report);
        return tokens.access_token;
      } catch (error) {
        steps.failed(error);
        throw error;
      }
    },
  };
}

interface Grant {
  readonly refresh: boolean;
  /** The refresh token; undefined for the kept one. */
  readonly given: string | undefined;
  readonly scope: string | undefined;
}

async function requesting(ctx: Context, target: Target, { refresh, given, scope }: Grant) {
  const { refreshTokens, requestTokens } = await import('../../flows/token/token.ts');
  type OnEvent = Parameters<typeof requestTokens>[2];
  if (!refresh) {
    return (onEvent: OnEvent) =>
      requestTokens(ctx, { target, grantType: 'client_credentials', values: { scope } }, onEvent);
  }
  let refreshToken = given;
  return async (onEvent: OnEvent) => {
    const granted = await refreshTokens(ctx, { target, refreshToken, scope }, onEvent);
    // The next request uses the new refresh token, if the server returned one.
    if (refreshToken !== undefined) refreshToken = granted.tokens.refresh_token ?? refreshToken;
    return granted;
  };
}

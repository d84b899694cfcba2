import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { explainKafka, type KafkaExplanation } from '../../flows/kafka/explain.ts';
import { inWords } from '../../output/duration.ts';
import { printable } from '../../output/printable.ts';
import { colours, type Paint } from '../../output/style.ts';
import type { IssuedToken, KafkaFlow } from '../../protocol/kafka/flow-choice.ts';
import { parseBootstrap } from '../../protocol/kafka/oauthbearer.ts';
import type { Configuration } from '../../protocol/kafka/properties.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { addServerOptions, addSettings } from '../../session/setting-options.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import { TokenSteps } from '../../steps/token-steps.ts';

interface ExplainFlags {
  readonly token?: string;
  readonly bootstrap: string;
  readonly brokerClientId: string;
  readonly listener: string;
  readonly ssl: boolean;
}

/** `oauthctl kafka explain` */
export function defineKafkaExplain(command: Command, ctx: Context): void {
  addSettings(addServerOptions(command), 'scope')
    .description(
      'the configuration of the four OAuth flows of a Kafka client, and which of them fit the tokens of this client',
    )
    .option(
      '--token <ref>',
      'use this access token for the decision: -, @FILE, @last.access_token (default: request one)',
    )
    .option('--bootstrap <brokers>', 'HOST:PORT, or several, separated by commas', 'broker.example:9093')
    .option(
      '--broker-client-id <id>',
      'the client that the broker introspects as, or that is in aud',
      'kafka-broker',
    )
    .option('--listener <name>', "the name of the broker's listener", 'oauth')
    .option('--no-ssl', 'SASL_PLAINTEXT: tokens are sent unencrypted')
    .action(() => runExplain(ctx, command));
  documentCommand(command, {
    examples: [
      'oauthctl kafka explain --bootstrap broker.example:9093',
      'oauthctl kafka explain --token @last.access_token',
    ],
  });
}

async function runExplain(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, settings, reporter } = session;
  const { token: reference, bootstrap, brokerClientId, listener, ssl } = command.opts<ExplainFlags>();
  parseBootstrap(bootstrap);
  const token =
    reference === undefined ? undefined : await readTokenArgument(session, reference, ['access_token']);
  const steps = new TokenSteps(reporter);
  const options = {
    target: await connect(session, { keepTokens: false, certificateFor: 'broker' }),
    scope: settings.get('scope'),
    ...{ token, bootstrap, brokerClientId, listener, isTls: ssl },
  };
  const explanation = await explainKafka(ctx, options, (event) => {
    if (event.type !== 'no_token') return steps.report(event);
    steps.failed(event.error);
    reporter.warning(
      `which flows fit is not decided: ${printable(event.error.message)}; --token uses another token`,
    );
  });
  await print(session, explanation);
}

async function print(session: Session, explanation: KafkaExplanation): Promise<void> {
  const paint = await colours(session.ctx.env, session.ctx.io.stdoutIsTerminal);
  const { setup, token, flows, clients, brokers } = explanation;
  const { local_without_strimzi, ...strimzi } = brokers;
  const document = {
    issuer: setup.issuer,
    client_id: setup.clientId,
    token: token === undefined ? null : { format: token.format, expires_in: token.expiresIn ?? null },
    flows: flows.map(({ fits, ...flow }) => ({ ...flow, fits: fits ?? null })),
    clients,
    brokers: {
      introspection: strimzi.introspection ?? null,
      local: strimzi.local ?? null,
      local_without_strimzi: local_without_strimzi ?? null,
    },
  };
  printResult(session, document, () => render(explanation, paint));
}

const CLIENT_TITLES = {
  client_credentials: 'client with id and secret',
  refresh_token: 'client with id, secret and a refresh token',
  access_token: 'client with a long-lived access token',
} as const;

const BROKER_TITLES = {
  introspection: 'broker with introspection (Strimzi)',
  local: 'broker with a local check (Strimzi)',
  local_without_strimzi: "broker with a local check (Kafka's built-in validator)",
} as const;

/** Renders properties files; everything else is a comment, so that the whole output can be pasted. */
function render({ setup, token, flows, clients, brokers }: KafkaExplanation, paint: Paint): string {
  const sections = [
    [
      `# ${printable(setup.issuer)} · ${printable(setup.clientId)} · ${tokenInWords(token)}`,
      ...flows.flatMap((flow, index) => renderFlow(flow, index, paint)),
    ],
    ...Object.entries(CLIENT_TITLES).flatMap(([source, title]) => {
      const { java, librdkafka } = clients[source as keyof typeof CLIENT_TITLES];
      return [
        renderConfiguration(`${title} · Java`, java, paint),
        renderConfiguration(`${title} · librdkafka`, librdkafka, paint),
      ];
    }),
    ...Object.entries(BROKER_TITLES).flatMap(([method, title]) => {
      const configuration = brokers[method as keyof typeof BROKER_TITLES];
      return configuration === undefined ? [] : [renderConfiguration(title, configuration, paint)];
    }),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function tokenInWords(token: IssuedToken | undefined): string {
  if (token === undefined) return 'no token to decide with';
  const format = { jwt: 'JWT', opaque: 'opaque', encrypted: 'encrypted JWT' }[token.format];
  return token.expiresIn === undefined
    ? `${format} tokens`
    : `${format} tokens of ${inWords(token.expiresIn)}`;
}

function renderFlow({ client, broker, fits, remarks }: KafkaFlow, index: number, paint: Paint): string[] {
  const verdict =
    fits === undefined ? paint.yellow('not decided') : fits ? paint.green('fits') : paint.red('does not fit');
  const who =
    client === 'client_credentials' ? 'id and secret (or refresh token)' : 'long-lived access token';
  const how = broker === 'introspection' ? 'broker introspects' : 'broker checks locally';
  return [
    `# ${index + 1}  ${`${who}, ${how}`.padEnd(56)} ${verdict}`,
    ...remarks.map((remark) => `#    ${paint.dim(printable(remark))}`),
  ];
}

function renderConfiguration(title: string, { properties, notes }: Configuration, paint: Paint): string[] {
  return [
    paint.bold(`# ${title}`),
    ...notes.map((note) => `# ${printable(note)}`),
    ...Object.entries(properties).map(([name, value]) => `${name}=${printable(value)}`),
  ];
}

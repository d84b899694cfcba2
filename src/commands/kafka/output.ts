import type { StoredMessage } from '../../context.ts';
import type { OauthctlError } from '../../errors.ts';
import { copyNumberTexts } from '../../exact-json.ts';
import type { KafkaResult } from '../../flows/kafka/connect.ts';
import { type KafkaRefusal, quoteBroker } from '../../flows/kafka/refusal.ts';
import type { BrokerValidation } from '../../flows/kafka/validation.ts';
import { printable } from '../../output/printable.ts';
import { colours, type Paint } from '../../output/style.ts';
import { renderClaims } from '../../output/token-result.ts';
import { verdictInWords } from '../../output/validation.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import { OAUTHBEARER, renderBroker } from '../../protocol/kafka/oauthbearer.ts';
import type { Redactor } from '../../redact.ts';
import { definedOnly, printFailedResult, type Session } from '../../session/session.ts';
import { sessionInWords } from '../../steps/kafka-steps.ts';

/** The claims that brokers validate or use as the principal. */
const CLAIMS = [
  'iss',
  'sub',
  'preferred_username',
  'azp',
  'client_id',
  'aud',
  'scope',
  'typ',
  'iat',
  'exp',
] as const;

/** Prints the verdict of a broker, and the results of the session. */
export async function printKafkaResult(
  session: Session,
  result: KafkaResult,
  { failure, validation }: { failure: OauthctlError | undefined; validation: BrokerValidation | undefined },
): Promise<void> {
  const { redactor, env, io } = session.ctx;
  const paint = await colours(env, io.stdoutIsTerminal);
  const said = result.refusal && redacted(result.refusal, redactor);
  const shown = { ...result, refusal: said };
  printFailedResult(session, failure, 'kafka', buildDocument(shown, validation), () =>
    render(shown, validation, { paint, showSecrets: redactor.showSecrets }),
  );
}

/** Redacts the message of a broker, which may contain the token. */
function redacted(refusal: KafkaRefusal, redactor: Redactor): KafkaRefusal {
  const { errorMessage, challenge } = refusal;
  return {
    ...refusal,
    errorMessage: errorMessage && redactor.text(errorMessage),
    challenge: challenge && { ...challenge, text: redactor.text(challenge.text) },
  };
}

function buildDocument(result: KafkaResult, validation: BrokerValidation | undefined) {
  const { refusal, cluster, produced, consumed, held, steps } = result;
  return definedOnly({
    verdict: refusal === undefined ? 'accepted' : 'refused',
    broker: renderBroker(result.address),
    security_protocol: securityProtocol(result),
    mechanism: OAUTHBEARER,
    mechanisms: result.mechanisms,
    // A broker does not return the principal of the client.
    principal: null,
    claims: readClaims(result) ?? null,
    session_lifetime_ms: result.sessionLifetimeMs,
    refusal: refusal && {
      error_code: refusal.errorCode,
      error_name: refusal.errorName,
      error_message: refusal.errorMessage ?? null,
      challenge: refusal.challenge?.text ?? null,
      reason: refusal.reason,
      validation: refusal.validation ?? null,
      cause: refusal.cause,
      remedy: refusal.remedy,
    },
    cluster: cluster && {
      cluster_id: cluster.clusterId ?? null,
      nodes: cluster.nodes.map(({ nodeId, host, port }) => ({ node_id: nodeId, host, port })),
      topics: cluster.topics.map(({ topic }) => topic),
    },
    produced: produced && { ...produced, offset: offsetAsNumber(produced.offset) },
    consumed: consumed?.map((message) => ({
      topic: message.topic,
      partition: message.partition,
      offset: offsetAsNumber(message.offset),
      timestamp: message.timestamp,
      key: decodeText(message.key),
      value: decodeText(message.value),
    })),
    held,
    validation: validation && { ...validation, agree: validation.agree ?? null },
    steps: steps.map(({ name, ms, address }) => ({
      step: name,
      ms,
      ...(address && { broker: renderBroker(address) }),
    })),
  });
}

/** Returns a number if it is exact, else text. */
function offsetAsNumber(offset: bigint | undefined): number | string | null {
  if (offset === undefined) return null;
  return Number.isSafeInteger(Number(offset)) ? Number(offset) : String(offset);
}

function readClaims({ token }: KafkaResult): Record<string, unknown> | undefined {
  const claims = decodeUnverified(token)?.claims as Record<string, unknown> | undefined;
  if (claims === undefined) return undefined;
  const picked = CLAIMS.filter((name) => name in claims).map((name) => [name, claims[name]]);
  return copyNumberTexts(claims, Object.fromEntries(picked));
}

function securityProtocol({ isTls }: KafkaResult): string {
  return isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT';
}

function decodeText(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
}

function render(
  result: KafkaResult,
  validation: BrokerValidation | undefined,
  { paint, showSecrets }: { readonly paint: Paint; readonly showSecrets: boolean },
): string {
  const { refusal, sessionLifetimeMs, consumed } = result;
  const verdict =
    refusal === undefined
      ? [paint.green('accepted'), sessionInWords(sessionLifetimeMs ?? 0)]
      : [paint.red('refused'), printable(quoteBroker(refusal))];
  const heading = [
    paint.bold(printable(renderBroker(result.address))),
    securityProtocol(result),
    ...verdict,
  ].join(' · ');
  const claims = readClaims(result);
  const lines = [
    heading,
    ...(claims === undefined
      ? ['the token is no JWT that can be read here']
      : renderClaims(claims, paint, { showSecrets })),
    ...(consumed ?? []).map(renderMessage),
    ...(validation === undefined ? [] : renderValidation(validation, paint)),
  ];
  return `${lines.join('\n')}\n`;
}

function renderValidation(
  { local, introspection, agree, findings }: BrokerValidation,
  paint: Paint,
): string[] {
  const verdicts = `local check ${verdictInWords(local, paint)} · introspection ${verdictInWords(introspection, paint)}`;
  const agreement =
    agree === undefined
      ? 'nothing to compare with'
      : agree
        ? 'the broker agrees with it'
        : 'the broker does not agree with it';
  return [
    `${verdicts} · ${agreement}`,
    ...findings.flatMap(({ cause, remedy }) => [
      `  ${printable(cause)}`,
      `  ${paint.dim(printable(remedy))}`,
    ]),
  ];
}

function renderMessage({ topic, partition, offset, value }: StoredMessage): string {
  return `${printable(topic)}[${partition}]@${offset}  ${printable(decodeText(value) ?? '(no value)')}`;
}

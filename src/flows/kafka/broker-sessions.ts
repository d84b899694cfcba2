import type { BrokerAddress, BrokerConnection, Context } from '../../context.ts';
import { NetworkError, TimeoutError, UsageError } from '../../errors.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import {
  buildClientMessage,
  DUMMY_CLIENT_MESSAGE,
  OAUTHBEARER,
  parseOauthbearerChallenge,
  type SaslExtension,
} from '../../protocol/kafka/oauthbearer.ts';
import { EXPIRED_WITHIN_SKEW, explainBrokerRefusal } from '../../protocol/kafka/refusal.ts';
import type { KafkaEvent, KafkaStep } from './events.ts';
import { handshakeRefused, type KafkaRefusal } from './refusal.ts';

export interface TokenSource {
  /** Whether `next` returns a new token each time, or always the same. */
  readonly isRenewable: boolean;
  next(): Promise<string>;
}

export interface BrokerSessionOptions {
  readonly isTls: boolean;
  readonly tokens: TokenSource;
  readonly extensions: readonly SaslExtension[];
}

/** A connection on which the broker accepted the token. */
export interface BrokerSession {
  readonly connection: BrokerConnection;
  /** Milliseconds since the epoch. */
  authenticatedAt: number;
  /** Milliseconds; 0 where the session does not end. */
  lifetimeMs: number;
}

type Acceptance = Pick<BrokerSession, 'authenticatedAt' | 'lifetimeMs'>;
type Answer = Pick<KafkaRefusal, 'errorCode' | 'errorName' | 'errorMessage' | 'challenge'>;

const NO_ANSWER: Answer = {
  errorCode: 0,
  errorName: 'NONE',
  errorMessage: undefined,
  challenge: undefined,
};

/** The connections and sessions of one run, and the token that they use. */
export class BrokerSessions {
  readonly steps: KafkaStep[] = [];
  /** The broker that checked the token last. */
  address: BrokerAddress | undefined;
  mechanisms: readonly string[] = [];
  token = '';
  refusal: KafkaRefusal | undefined;
  readonly #ctx: Context;
  readonly #options: BrokerSessionOptions;
  readonly #onEvent: (event: KafkaEvent) => void;
  readonly #connections: BrokerConnection[] = [];
  readonly #sessions: BrokerSession[] = [];

  constructor(ctx: Context, options: BrokerSessionOptions, onEvent: (event: KafkaEvent) => void) {
    this.#ctx = ctx;
    this.#options = options;
    this.#onEvent = onEvent;
  }

  get lastSession(): BrokerSession | undefined {
    return this.#sessions.at(-1);
  }

  get isTokenRenewable(): boolean {
    return this.#options.tokens.isRenewable;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  addStep(name: KafkaStep['name'], ms: number, { address }: BrokerConnection): void {
    this.steps.push({ name, ms, address });
  }

  /** Takes the next token. @throws UsageError for a token that cannot be sent; as the source of tokens */
  async requestToken(): Promise<void> {
    const { tokens, extensions } = this.#options;
    const startedAt = this.#ctx.clock.now();
    this.token = await tokens.next();
    this.#ctx.redactor.know(this.token);
    // Built once before the first connection, so that a token that cannot be sent is found early.
    buildClientMessage(this.token, extensions);
    if (tokens.isRenewable) this.steps.push({ name: 'token', ms: this.#ctx.clock.now() - startedAt });
  }

  /** Connects to the first bootstrap server that accepts the connection. */
  async connectToAny(bootstrap: readonly BrokerAddress[]): Promise<BrokerConnection> {
    for (const [index, address] of bootstrap.entries()) {
      try {
        return await this.#connect(address);
      } catch (error) {
        const isDown = error instanceof NetworkError || error instanceof TimeoutError;
        if (!isDown || index === bootstrap.length - 1) throw error;
        this.#onEvent({ type: 'unreachable', address, error });
      }
    }
    throw new UsageError('bootstrap_invalid', 'no bootstrap server is given');
  }

  /**
   * Returns the session with a broker, which is opened where there is none yet.
   * @returns undefined where the broker refused the token; `refusal` says why
   */
  async openWith({ host, port }: BrokerAddress): Promise<BrokerSession | undefined> {
    const open = this.#sessions.find(
      ({ connection: { address } }) => address.host === host && address.port === port,
    );
    return open ?? this.authenticate(await this.#connect({ host, port }));
  }

  /** @returns undefined where the broker refused the token; `refusal` says why */
  async authenticate(connection: BrokerConnection): Promise<BrokerSession | undefined> {
    const accepted = await this.#exchangeToken(connection, false);
    if (accepted === undefined) return undefined;
    const session = { connection, ...accepted };
    this.#sessions.push(session);
    return session;
  }

  /**
   * Authenticates again on the connection of a session.
   * @returns whether the broker accepted the token
   * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-368
   */
  async reauthenticate(session: BrokerSession): Promise<boolean> {
    const accepted = await this.#exchangeToken(session.connection, true);
    if (accepted !== undefined) Object.assign(session, accepted);
    return accepted !== undefined;
  }

  /** Records that a broker accepted an expired token and then closed the connection. */
  refuseExpired(): void {
    this.#refuse({ ...NO_ANSWER, ...EXPIRED_WITHIN_SKEW }, undefined);
  }

  isTokenExpired(): boolean {
    const exp = decodeUnverified(this.token)?.claims.exp;
    return typeof exp === 'number' && exp * 1000 <= this.#ctx.clock.now();
  }

  async #connect(address: BrokerAddress): Promise<BrokerConnection> {
    const { isTls } = this.#options;
    const { signal } = this.#ctx;
    this.#onEvent({ type: 'connecting', address, isTls });
    const connection = await (await this.#ctx.kafka()).connect(address, { tls: isTls }, signal);
    this.#connections.push(connection);
    const { tcpMs, tls } = connection;
    this.#onEvent({ type: 'connected', connection });
    this.addStep('tcp', tcpMs, connection);
    if (tls) this.addStep('tls', tls.ms, connection);
    const { count, ms } = await connection.apiVersions(signal);
    this.#onEvent({ type: 'api_versions', count, ms });
    this.addStep('api_versions', ms, connection);
    return connection;
  }

  async #exchangeToken(connection: BrokerConnection, isAgain: boolean): Promise<Acceptance | undefined> {
    await this.#shakeHands(connection, isAgain);
    const message = buildClientMessage(this.token, this.#options.extensions);
    const answer = await connection.saslAuthenticate(message, this.#ctx.signal);
    const authenticatedAt = this.#ctx.clock.now();
    const { errorCode, authBytes, ms, sessionLifetimeMs } = answer;
    this.addStep(isAgain ? 'reauthenticate' : 'sasl_authenticate', ms, connection);
    const challenge = errorCode === 0 ? parseOauthbearerChallenge(authBytes) : undefined;
    if (errorCode === 0 && challenge === undefined) {
      this.#onEvent({ type: 'authenticated', sessionLifetimeMs, ms, isAgain });
      return { authenticatedAt, lifetimeMs: sessionLifetimeMs };
    }
    if (challenge) this.#onEvent({ type: 'challenge', challenge, ms });
    const last = challenge ? ((await this.#answerChallenge(connection)) ?? answer) : answer;
    const { errorName, errorMessage } = last;
    const said: Answer = { errorCode: last.errorCode, errorName, errorMessage, challenge };
    const claims = decodeUnverified(this.token)?.claims;
    this.#refuse({ ...said, ...explainBrokerRefusal(said, claims, this.#ctx.clock.now()) }, last.ms);
    return undefined;
  }

  async #shakeHands(connection: BrokerConnection, isAgain: boolean): Promise<void> {
    this.address = connection.address;
    const handshake = await connection.saslHandshake(OAUTHBEARER, this.#ctx.signal);
    if (!isAgain) {
      this.mechanisms = handshake.mechanisms;
      this.#onEvent({ type: 'sasl_handshake', mechanisms: handshake.mechanisms, ms: handshake.ms });
      this.addStep('sasl_handshake', handshake.ms, connection);
    }
    if (handshake.errorCode !== 0) throw handshakeRefused(handshake);
  }

  /**
   * Ends an authentication that was answered with a challenge.
   * @returns undefined where the broker closed the connection instead of answering
   * @see https://www.rfc-editor.org/rfc/rfc7628#section-3.2.3
   */
  async #answerChallenge(connection: BrokerConnection) {
    try {
      return await connection.saslAuthenticate(DUMMY_CLIENT_MESSAGE, this.#ctx.signal);
    } catch (error) {
      if (error instanceof NetworkError || error instanceof TimeoutError) return undefined;
      throw error;
    }
  }

  #refuse(refusal: KafkaRefusal, ms: number | undefined): void {
    this.refusal = refusal;
    this.#onEvent({ type: 'refused', refusal, ms });
  }
}

/** Whether the broker closed a connection instead of answering. */
export function isConnectionClosed(error: unknown): boolean {
  return error instanceof NetworkError && error.code === 'connection_closed';
}

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** The duration until an answer, in milliseconds. */
export interface Timed {
  readonly ms: number;
}

/** An error code of the protocol, 0 for none, and its name. @see https://kafka.apache.org/protocol#protocol_error_codes */
export interface ErrorCode {
  readonly errorCode: number;
  /** For example `SASL_AUTHENTICATION_FAILED`. */
  readonly errorName: string;
}

export interface SaslHandshake extends Timed, ErrorCode {
  /** The mechanisms that the listener enables, in its order. */
  readonly mechanisms: readonly string[];
}

export interface SaslAuthentication extends Timed, ErrorCode {
  readonly errorMessage: string | undefined;
  /** The answer of the mechanism, as text. */
  readonly authBytes: string;
  /** Milliseconds until the client has to authenticate again; 0 for never. */
  readonly sessionLifetimeMs: number;
}

export interface ClusterNode extends BrokerAddress {
  readonly nodeId: number;
}

export interface ClusterMetadata extends Timed {
  readonly clusterId: string | undefined;
  readonly nodes: readonly ClusterNode[];
  /** The requested topics, or all that the principal may describe. */
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly leader: number }[];
  }[];
}

export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** The first available offset, and that of the next message. */
export interface PartitionOffsets extends Timed {
  readonly first: bigint;
  readonly next: bigint;
}

export interface StoredMessage extends PartitionName {
  readonly offset: bigint;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
}

/**
 * One connection to one broker. Each request throws NetworkError when no answer came, TimeoutError when it took too
 * long, and the signal's reason when aborted; those on topics, OauthctlError with the broker's error in lower case.
 */
export interface BrokerConnection {
  readonly address: BrokerAddress;
  /** The duration of the TCP connect, in milliseconds. */
  readonly tcpMs: number;
  readonly tls: { readonly protocol: string; readonly ms: number } | undefined;
  /** Resolves when either side has closed the connection. */
  readonly ended: Promise<void>;
  apiVersions(signal: AbortSignal): Promise<Timed & { readonly count: number }>;
  saslHandshake(mechanism: string, signal: AbortSignal): Promise<SaslHandshake>;
  saslAuthenticate(message: string, signal: AbortSignal): Promise<SaslAuthentication>;
  /** @param topics empty for all; none is created */
  metadata(topics: readonly string[], signal: AbortSignal): Promise<ClusterMetadata>;
  produce(
    to: PartitionName,
    value: string,
    signal: AbortSignal,
  ): Promise<Timed & { readonly offset: bigint | undefined }>;
  offsets(of: PartitionName, signal: AbortSignal): Promise<PartitionOffsets>;
  /** Reads messages from an offset on, as many as one answer holds. */
  fetch(
    of: PartitionName,
    offset: bigint,
    signal: AbortSignal,
  ): Promise<Timed & { readonly messages: readonly StoredMessage[] }>;
  close(): void;
}

export interface KafkaClient {
  /** @throws NetworkError when there is no connection; UsageError `certificate_unusable` */
  connect(
    address: BrokerAddress,
    options: { readonly tls: boolean },
    signal: AbortSignal,
  ): Promise<BrokerConnection>;
}

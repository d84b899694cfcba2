import type { BrokerAddress, BrokerConnection, ClusterMetadata, PartitionName } from '../../context.ts';
import type { OauthctlError } from '../../errors.ts';
import type { OauthbearerChallenge } from '../../protocol/kafka/oauthbearer.ts';
import type { KafkaRefusal } from './refusal.ts';

/** A finished step and its duration in milliseconds. */
export interface KafkaStep {
  readonly name:
    | 'token'
    | 'tcp'
    | 'tls'
    | 'api_versions'
    | 'sasl_handshake'
    | 'sasl_authenticate'
    | 'metadata'
    | 'produce'
    | 'consume'
    | 'reauthenticate';
  readonly ms: number;
  /** The broker of the step; undefined for the token. */
  readonly address?: BrokerAddress;
}

export type KafkaEvent =
  | { readonly type: 'connecting'; readonly address: BrokerAddress; readonly isTls: boolean }
  | { readonly type: 'unreachable'; readonly address: BrokerAddress; readonly error: OauthctlError }
  | { readonly type: 'connected'; readonly connection: Pick<BrokerConnection, 'tcpMs' | 'tls'> }
  | { readonly type: 'api_versions'; readonly count: number; readonly ms: number }
  | { readonly type: 'sasl_handshake'; readonly mechanisms: readonly string[]; readonly ms: number }
  | { readonly type: 'challenge'; readonly challenge: OauthbearerChallenge; readonly ms: number }
  | {
      readonly type: 'authenticated';
      readonly sessionLifetimeMs: number;
      readonly ms: number;
      readonly isAgain: boolean;
    }
  | { readonly type: 'refused'; readonly refusal: KafkaRefusal; readonly ms: number | undefined }
  | { readonly type: 'metadata'; readonly cluster: ClusterMetadata }
  | { readonly type: 'produced'; readonly produced: Produced; readonly ms: number }
  | { readonly type: 'consumed'; readonly count: number; readonly wanted: number; readonly ms: number }
  | { readonly type: 'hold_started'; readonly holdMs: number; readonly sessionLifetimeMs: number }
  | { readonly type: 'holding'; readonly leftMs: number; readonly sessionLeftMs: number | undefined };

/** Where a message was stored. */
export interface Produced extends PartitionName {
  readonly offset: bigint | undefined;
}

// Only the codec of kafkajs is used, because its connection does not expose the mechanisms, error codes and challenges of a
// broker.
declare module 'kafkajs/src/protocol/request.js' {
  import type { WireRequest } from 'kafkajs/src/protocol/requests/codec';
  export default function createRequest(parts: {
    request: WireRequest;
    correlationId: number;
    clientId: string;
  }): Promise<{ readonly buffer: Buffer }>;
}
declare module 'kafkajs/src/protocol/requests/codec' {
  export interface WireRequest {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<{ readonly buffer: Buffer }>;
  }
  export interface Message<Decoded> {
    readonly request: WireRequest;
    readonly response: {
      decode(payload: Buffer): Promise<Decoded>;
      /** @throws Error with `type` and `code` if the answer is an error */
      parse(decoded: Decoded): Promise<unknown>;
    };
  }
  /** An API of the broker, in the supported versions. */
  export interface Api<Parameters, Decoded> {
    readonly versions: readonly string[];
    protocol(options: { version: number }): (parameters: Parameters) => Message<Decoded>;
  }
}
declare module 'kafkajs/src/protocol/requests/apiVersions/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    Record<string, never>,
    {
      readonly apiVersions: readonly {
        readonly apiKey: number;
        readonly minVersion: number;
        readonly maxVersion: number;
      }[];
    }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/requests/saslHandshake/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    { mechanism: string },
    { readonly errorCode: number; readonly enabledMechanisms: readonly string[] }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/requests/saslAuthenticate/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    { authBytes: Buffer },
    {
      readonly errorCode: number;
      readonly errorMessage: string | null;
      /** After their length, in four bytes. */
      readonly authBytes: Buffer;
      /** Milliseconds; version 0 has none. */
      readonly sessionLifetimeMs?: string;
    }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/requests/metadata/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    { topics: readonly string[]; allowAutoTopicCreation: boolean },
    {
      readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
      readonly clusterId?: string | null;
      readonly controllerId?: number;
      readonly topicMetadata: readonly {
        readonly topic: string;
        readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
      }[];
    }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    {
      acks: number;
      timeout: number;
      topicData: readonly {
        topic: string;
        partitions: readonly {
          partition: number;
          firstSequence: number;
          messages: readonly {
            key: null;
            value: string;
            headers: Record<string, never>;
            timestamp: number;
          }[];
        }[];
      }[];
    },
    {
      readonly topics: readonly {
        readonly partitions: readonly { readonly baseOffset?: string; readonly offset?: string }[];
      }[];
    }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/requests/listOffsets/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    {
      replicaId: number;
      isolationLevel: number;
      topics: readonly {
        topic: string;
        partitions: readonly { partition: number; timestamp: number }[];
      }[];
    },
    {
      readonly responses: readonly {
        readonly partitions: readonly { readonly offset?: string; readonly offsets?: readonly string[] }[];
      }[];
    }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  import type { Api } from 'kafkajs/src/protocol/requests/codec';

  const api: Api<
    {
      maxWaitTime: number;
      minBytes: number;
      maxBytes: number;
      topics: readonly {
        topic: string;
        partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[];
      }[];
      rackId: string;
    },
    {
      readonly responses: readonly {
        readonly partitions: readonly {
          readonly messages: readonly {
            readonly offset: string;
            readonly timestamp?: string;
            readonly key: Buffer | null;
            readonly value: Buffer | null;
            readonly isControlRecord?: boolean;
          }[];
        }[];
      }[];
    }
  >;
  export default api;
}
declare module 'kafkajs/src/protocol/error.js' {
  export const errorCodes: readonly {
    readonly type: string;
    readonly code: number;
    readonly message: string;
  }[];
}

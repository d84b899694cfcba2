import type { Endpoint } from '../errors.ts';

/** One answer of a server, its cause and its remedy. All conditions of `when` must hold. */
export interface Case {
  readonly when: {
    readonly endpoint?: Endpoint;
    readonly error?: string;
    readonly description?: RegExp;
    readonly status?: number;
  };
  readonly cause: string;
  readonly remedy: string;
}

import type { Endpoint, OAuthRefusal } from '../errors.ts';

/** An answer of a server, its cause and its remedy. All conditions of `when` must hold. */
export interface Case {
  readonly when: {
    readonly endpoint?: Endpoint;
    readonly error?: string;
    readonly description?: RegExp;
    readonly status?: number;
    /** Whether it is the answer of a person, who was asked; undefined holds for both. */
    readonly isPersonsAnswer?: boolean;
    /** The product that answered; undefined holds for every server, and then no product's settings are named. */
    readonly product?: OAuthRefusal['product'];
  };
  readonly cause: string;
  readonly remedy: string;
}

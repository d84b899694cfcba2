import type { JSONWebKeySet, JWK } from 'jose';
import { stringifyJson } from '../../exact-json.ts';
import type { JsonObject } from '../json.ts';

export type Outcome = 'passed' | 'failed' | 'skipped';

/** A check of a token and its outcome. */
export interface Check {
  /** A header parameter or claim by its wire name, or `format`, `key`, `signature`, `kind`, `max_age`, `claim NAME`. */
  readonly name: string;
  /** `skipped`: there is nothing to compare with, or what comes before it failed. */
  readonly outcome: Outcome;
  /** Why a check failed: a stable code in snake_case, for example `expired`. */
  readonly reason?: string;
  /** For people. */
  readonly detail: string;
}

/** What may verify a signature: a JWK Set, whose keys are chosen by `kid`, one key for any `kid`, or a shared secret for HS* only. */
export type VerificationKeys =
  | JSONWebKeySet
  | { readonly key: JWK }
  | {
      readonly secret: string | Uint8Array /** The only algorithm that the secret is for. */;
      readonly alg?: string;
    };

/** Finds the keys for one token, for example by its unverified `kid`; undefined where there are none. */
export type KeyFinder = (header: JsonObject) => Promise<VerificationKeys | undefined>;

/** What the value of a claim must be. */
export interface ClaimExpectation {
  /** The claim's name, or a path into objects and arrays: dots, `[0]`, `["a name with dots"]`. */
  readonly name: string;
  /** Any of these: equal to it, an array's element, or one word of `scope`. With none of them and no `json`, the claim must only exist. */
  readonly values: readonly unknown[];
  /** A further value, as JSON; its numbers are compared as they are written. */
  readonly json?: string | undefined;
}

/** The kind of JWT that is expected, with the requirements of its specification. */
export type JwtProfile = 'access_token' | 'id_token' | 'logout_token';

/** What the claims of a JWT are compared with; what is undefined is not checked. */
export interface ClaimExpectations {
  readonly issuer?: string | undefined;
  /** At least one of them must be in `aud`; for an ID token, those that may be in it beside the client. */
  readonly audience?: readonly string[] | undefined;
  /** Media types for `typ`, with or without `application/`; case does not matter. */
  readonly types?: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds by which clocks may differ; 0 where it is not given. */
  readonly leeway?: number | undefined;
  /** Seconds since `iat`, or for an ID token since `auth_time`. */
  readonly maxAge?: number | undefined;
  readonly claims?: readonly ClaimExpectation[] | undefined;
  /** Claims that must exist, beside those that the profile requires. */
  readonly required?: readonly string[] | undefined;
  readonly profile?: JwtProfile | undefined;
  /** Refuses a token that is recognised as an ID, refresh or logout token; the profile `access_token` always does. */
  readonly accessTokenOnly?: boolean | undefined;
  /** The client that an ID or logout token must be for. */
  readonly clientId?: string | undefined;
  /** The nonce that an ID token must have. */
  readonly nonce?: string | undefined;
  /** The access token that was issued with an ID token, for `at_hash`. */
  readonly accessToken?: string | undefined;
  /** The code that was issued with an ID token, for `c_hash`. */
  readonly code?: string | undefined;
}

/** What a JWT is verified against. */
export interface JwtExpectations extends ClaimExpectations {
  readonly keys: VerificationKeys | KeyFinder;
  /** Algorithms that are allowed; by default every one that the keys are for. HS* need a secret in any case. */
  readonly algs?: readonly string[] | undefined;
}

export interface JwtVerdict {
  /** Whether the signature is right and no check failed. */
  readonly valid: boolean;
  readonly checks: readonly Check[];
  /** Undefined where it cannot be read; not to be trusted unless `valid`. */
  readonly header?: JsonObject | undefined;
  readonly claims?: JsonObject | undefined;
}

export const passed = (name: string, detail: string): Check => ({ name, outcome: 'passed', detail });

export const failed = (name: string, reason: string, detail: string): Check => ({
  name,
  outcome: 'failed',
  reason,
  detail,
});

export const skipped = (name: string, detail: string): Check => ({ name, outcome: 'skipped', detail });

/** Characters of a value that a detail shows. */
const LONGEST_SHOWN = 200;

/** Formats a value of a token for a detail. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  return cutShown(stringifyJson(value));
}

/** Shortens JSON for a detail. */
export function cutShown(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

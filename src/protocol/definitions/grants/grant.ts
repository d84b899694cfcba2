import type { ParameterDefinitions } from '../parameter.ts';

/** One way to get tokens from a token endpoint. */
export interface GrantDefinition {
  /** What the documents call it; below `token`, the name of its command. */
  readonly name: string;
  /** The command that runs it. */
  readonly command: `${'token' | 'ciba'} ${string}`;
  readonly grantType: string;
  /** What it is for, as the help says it. */
  readonly summary: string;
  /** Where it is specified, as the help says it. */
  readonly specification: string;
  /** One to three command lines for the help. */
  readonly examples: readonly string[];
  /** Further help. */
  readonly notes?: string;
  /** The parameters of its token request, without `grant_type` and those of the client authentication. */
  readonly parameters: ParameterDefinitions;
}

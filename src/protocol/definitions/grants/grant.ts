import type { ParameterDefinitions } from '../parameter.ts';

/** The definition of a grant. */
export interface GrantDefinition {
  /** Its name in the documents; below `token`, the name of its command. */
  readonly name: string;
  /** The command that runs it. */
  readonly command: `${'token' | 'ciba'} ${string}`;
  readonly grantType: string;
  /** What it is for, in the help. */
  readonly summary: string;
  /** Its specification, in the help. */
  readonly specification: string;
  /** One to three command lines for the help. */
  readonly examples: readonly string[];
  /** Further help. */
  readonly notes?: string;
  /** The parameters of its token request, without `grant_type` and those of the client authentication. */
  readonly parameters: ParameterDefinitions;
}

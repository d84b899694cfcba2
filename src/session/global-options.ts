/** Options that every command accepts, before or after its name. */
export interface GlobalOptions {
  readonly profile?: string;
  readonly json?: true;
  readonly field?: string;
  readonly verbose?: true;
  readonly quiet?: true;
  readonly showSecrets?: true;
  readonly trace?: string;
  readonly timeout?: string;
  /** False after `--no-input`. */
  readonly input: boolean;
  readonly caCert?: string;
  readonly insecure?: true;
  readonly cert?: string;
  readonly key?: string;
  readonly proxy?: string;
  readonly param?: readonly string[];
  readonly omit?: readonly string[];
  readonly curl?: true;
}

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

/** Prompts the user at the terminal; writes to stderr. */
export interface Prompt {
  /** @param options.signal ends the question */
  text(
    question: string,
    options?: { initial?: string; optional?: boolean; signal?: AbortSignal },
  ): Promise<string>;
  secret(question: string): Promise<string>;
  choose<Value extends string>(
    question: string,
    choices: readonly Choice<Value>[],
    signal?: AbortSignal,
  ): Promise<Value>;
}

/** The streams of the prompt. */
export interface PromptTerminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WritableStream;
}

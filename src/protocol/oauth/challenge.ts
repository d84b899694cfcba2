/** One challenge of a WWW-Authenticate header. */
export interface AuthenticateChallenge {
  /** As the server wrote it; compared without regard to case. */
  readonly scheme: string;
  /** By name in lower case; the first value of a repeated name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The single word in place of parameters, if any. */
  readonly token68?: string | undefined;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[ \t]+([A-Za-z0-9\-._~+/]+=*)(?=[ \t]*(?:,|$))/y;
const EQUALS = /[ \t]*=[ \t]*/y;
/** A quoted string, or a bare value: some servers omit the quotes around URLs and scopes. */
const VALUE = /"((?:[^"\\]|\\.)*)"|([^\s",]+)/sy;
/** Empty elements are allowed between commas. */
const SEPARATORS = /[ \t,]*/y;

/**
 * Reads the challenges of a WWW-Authenticate header, up to the first that cannot be read.
 * @param header the value; several headers may be joined with commas
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string | undefined): readonly AuthenticateChallenge[] {
  const text = header ?? '';
  const challenges: AuthenticateChallenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? undefined;
    at += match?.[0].length ?? 0;
    return match;
  };
  const takeParameter = (): readonly [name: string, value: string] | undefined => {
    const start = at;
    take(SEPARATORS);
    const name = take(TOKEN)?.[0].toLowerCase();
    const value = name !== undefined && take(EQUALS) ? take(VALUE) : undefined;
    if (name !== undefined && value) return [name, value[1]?.replace(/\\(.)/gs, '$1') ?? value[2] ?? ''];
    // A word without "=" is the scheme of the next challenge.
    at = start;
    return undefined;
  };

  for (;;) {
    take(SEPARATORS);
    const scheme = take(TOKEN)?.[0];
    if (scheme === undefined) return challenges;
    const token68 = take(TOKEN68)?.[1];
    const parameters: Record<string, string> = Object.create(null);
    for (let next = takeParameter(); next !== undefined; next = takeParameter()) {
      const [name, value] = next;
      parameters[name] ??= value;
    }
    challenges.push({ scheme, parameters, ...(token68 !== undefined && { token68 }) });
  }
}

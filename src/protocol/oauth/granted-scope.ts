/** The scopes of a request that the token response does not have. */
export interface ScopeNotGranted {
  readonly asked: string;
  /** As the response names it. */
  readonly granted: string;
  readonly missing: readonly string[];
}

/**
 * Compares the `scope` of a token response with the requested one. A response without a scope grants the requested one;
 * `openid` counts as granted if there is an ID token, because some servers do not list it.
 * @param asked the requested scope; undefined if there was none
 * @param json the token response
 * @returns undefined if every scope was granted
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export function findScopeNotGranted(
  asked: string | undefined,
  json: Readonly<Record<string, unknown>>,
): ScopeNotGranted | undefined {
  const { scope } = json;
  // Some servers send a list.
  const granted = Array.isArray(scope) ? scope.join(' ') : scope;
  if (asked === undefined || typeof granted !== 'string') return undefined;
  const names = new Set([
    ...splitScope(granted),
    ...(typeof json.id_token === 'string' && json.id_token !== '' ? ['openid'] : []),
  ]);
  const missing = [...new Set(splitScope(asked))].filter((name) => !names.has(name));
  return missing.length === 0 ? undefined : { asked, granted, missing };
}

/** Some servers separate scopes by commas. */
function splitScope(scope: string): string[] {
  return scope.split(/[\s,]+/).filter(Boolean);
}

/** The event that not every requested scope was granted. */
export interface ScopeNotGrantedEvent extends ScopeNotGranted {
  readonly type: 'scope_not_granted';
}

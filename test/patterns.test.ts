import { readFileSync, writeFileSync } from 'node:fs';
import { check } from 'recheck';
import { describe, expect, it } from 'vitest';
import { hasUnboundedRepetition, readPatterns, type SourcePattern } from './helpers/patterns.ts';

/**
 * Patterns that recheck has found to take linear time. It takes a minute for all of them, so a pattern that is listed is
 * not checked again; with OAUTHCTL_CHECK_PATTERNS all are checked, and the list is written anew.
 */
const LIST = new URL('./helpers/linear-patterns.json', import.meta.url);
const CHECKS_ALL = process.env.OAUTHCTL_CHECK_PATTERNS !== undefined;

/** Files that build patterns: of their own constants, of a text that is escaped, or of the schema of the tenants. */
const BUILDERS = [
  'exact-json.ts',
  'flows/serve/tenants-file.ts',
  'protocol/jose/pem.ts',
  'protocol/loopback.ts',
  'sandbox/login.ts',
];

const patterns = readPatterns();
const unbounded = [
  ...new Map(
    patterns.literals.filter(hasUnboundedRepetition).map((pattern) => [pattern.literal, pattern]),
  ).values(),
];

/** What is wrong with a pattern; undefined if its time grows with the length of the text alone. */
async function findFault({ where, literal, source, flags }: SourcePattern): Promise<string | undefined> {
  // Groups that are named, and a match that starts at a position, change nothing about the time.
  const result = await check(source.replace(/\(\?<[A-Za-z]\w*>/g, '('), flags, { timeout: 60_000 });
  if (result.status === 'safe') return undefined;
  const attack = result.status === 'vulnerable' ? `, such as for ${result.attack.pattern}` : '';
  return `${where} ${literal} is ${result.status}${attack}`;
}

describe('the regular expressions of the program', () => {
  it('take time that grows with the length of the text alone', async () => {
    const listed: readonly string[] = CHECKS_ALL ? [] : JSON.parse(readFileSync(LIST, 'utf8'));
    expect(unbounded.length).toBeGreaterThan(50);
    const known = new Set(listed);
    const faults: string[] = [];
    for (const pattern of unbounded) {
      const fault = known.has(pattern.literal) ? undefined : await findFault(pattern);
      if (fault !== undefined) faults.push(fault);
    }
    expect(faults).toEqual([]);
    if (CHECKS_ALL)
      writeFileSync(LIST, `${JSON.stringify(unbounded.map(({ literal }) => literal).sort(), null, 2)}\n`);
  });

  it('are literals, except where a file is listed', () => {
    expect([...patterns.built].sort()).toEqual(BUILDERS);
  });

  it.each([
    ['(a+)+$', ''],
    ['\\/+$', ''],
    ['<(.+)>', 'i'],
    ['issuer .*(?:invalid|expected)', ''],
  ])('would be found out: /%s/%s', async (source, flags) => {
    const literal = `/${source}/${flags}`;
    expect(hasUnboundedRepetition({ source })).toBe(true);
    expect(await findFault({ where: 'a.ts:1', literal, source, flags })).toContain('is vulnerable');
  });
});

describe('JSON from outside', () => {
  it('is read by the reader that bounds its depth', () => {
    expect(patterns.jsonParse).toEqual(['exact-json.ts']);
  });
});

import type { Context } from '../context.ts';
import type { KeyFile } from '../protocol/jose/key.ts';

/**
 * Reads the keys in a file that an option names; warns about what was repaired or ignored, and about short keys.
 * @throws UsageError `file_unreadable`; as parseKeys
 */
export async function readKeyFile(ctx: Context, file: string): Promise<KeyFile> {
  const { parseKeys } = await import('../protocol/jose/key-file.ts');
  const { describeShortKey } = await import('../protocol/jose/key-weakness.ts');
  const found = await parseKeys(await ctx.readFile(file), file);
  for (const repair of found.repairs ?? []) ctx.warn(`${file}: ${repair}`);
  for (const why of found.passedOver ?? []) ctx.warn(`${file}: ${why}; it is ignored`);
  for (const key of found.keys) {
    const short = describeShortKey(key);
    if (short !== undefined) ctx.warn(`${file}: ${short}`);
  }
  return found;
}

import type { Context } from '../context.ts';
import type { KeyFile } from '../protocol/jose/key.ts';

/**
 * Reads the keys in a file that an option names; warns about what was repaired or ignored.
 * @throws UsageError `file_unreadable`; as parseKeys
 */
export async function readKeyFile(ctx: Context, file: string): Promise<KeyFile> {
  const { parseKeys } = await import('../protocol/jose/key-file.ts');
  const found = await parseKeys(await ctx.readFile(file), file);
  for (const repair of found.repairs ?? []) ctx.warn(`${file}: ${repair}`);
  for (const why of found.passedOver ?? []) ctx.warn(`${file}: ${why}; it is ignored`);
  return found;
}

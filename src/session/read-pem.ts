import type { Context } from '../context.ts';
import { repairPem } from '../protocol/jose/pem-repair.ts';

/**
 * Reads a PEM file of a certificate or its key; warns about what was repaired.
 * @throws UsageError `file_unreadable`
 */
export async function readPemFile(ctx: Context, path: string): Promise<string> {
  const { text, repairs } = repairPem(await ctx.readFile(path));
  for (const repair of repairs) ctx.warn(`${path}: ${repair}`);
  return text;
}

import { discover } from '../flows/server/discover.ts';
import { allowHttp, type ServerMetadata, withEndpoints } from '../protocol/oauth/metadata.ts';
import { readEndpoints, requireIssuer } from './issuer.ts';
import { parseBoolean } from './option-values.ts';
import type { Session } from './session.ts';
import type { Settings } from './settings.ts';

/**
 * Resolves the server's metadata: from discovery, from the endpoints that are set, or both; those that are set win.
 * @throws UsageError `setting_missing`; as discover
 */
export async function resolveMetadata({ ctx, settings }: Session): Promise<ServerMetadata> {
  const endpoints = readEndpoints(settings);
  const metadata = withEndpoints(await findMetadata(ctx, settings), endpoints);
  return isTrue(settings, 'allowHttpEndpoints') ? allowHttp(metadata) : metadata;
}

async function findMetadata(ctx: Session['ctx'], settings: Settings): Promise<ServerMetadata> {
  const [issuer, acceptIssuer] = [settings.get('issuer'), settings.get('acceptIssuer')];
  if (issuer === undefined || isTrue(settings, 'discovery') === false)
    return { issuer: acceptIssuer ?? requireIssuer(settings) };
  return (await discover(ctx, { issuer, acceptIssuer })).metadata;
}

function isTrue(settings: Settings, name: 'discovery' | 'allowHttpEndpoints'): boolean | undefined {
  const value = settings.get(name);
  return value === undefined ? undefined : parseBoolean(value, name, `${name}_invalid`);
}

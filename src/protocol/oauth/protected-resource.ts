import { ValidationError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';

/** Metadata of a protected resource: the members that are used here, and all others unchanged. */
export interface ParsedResourceMetadata extends JsonObject {
  readonly resource: string;
  readonly authorization_servers?: readonly string[];
  readonly scopes_supported?: readonly string[];
}

/**
 * Checks the metadata URL of a challenge: it must have the origin of the resource.
 * @param link the value of `resource_metadata`
 * @param url of the request
 * @throws ValidationError `resource_metadata_foreign`
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
 */
export function checkMetadataLink(link: string, url: string): void {
  if (URL.canParse(link) && new URL(link).origin === new URL(url).origin) return;
  throw new ValidationError(
    'resource_metadata_foreign',
    `the challenge names metadata at another origin, ${link}, which is not fetched`,
  );
}

/**
 * Checks the metadata of a resource that a challenge led to: it must be of the requested resource.
 * @param url of the request; the identifier may lack its query and fragment
 * @throws ValidationError `resource_mismatch`, `resource_metadata_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-3.3
 */
export function parseResourceMetadata(json: JsonObject, url: string): ParsedResourceMetadata {
  const { resource } = json;
  if (typeof resource !== 'string' || !URL.canParse(resource)) {
    throw new ValidationError('resource_metadata_invalid', 'the metadata of the resource has no "resource"');
  }
  if (!listIdentifiers(url).includes(resource)) {
    throw new ValidationError(
      'resource_mismatch',
      `the metadata is of another resource: requested ${url}, got ${resource}`,
    );
  }
  for (const name of ['authorization_servers', 'scopes_supported']) {
    const value = json[name];
    if (value !== undefined && !(Array.isArray(value) && value.every((item) => typeof item === 'string'))) {
      throw new ValidationError(
        'resource_metadata_invalid',
        `"${name}" in the metadata of the resource is not a list of strings`,
      );
    }
  }
  return json as ParsedResourceMetadata;
}

/** Lists the identifiers that a URL may have; an origin is written with or without the final slash. */
function listIdentifiers(url: string): readonly string[] {
  const { origin, pathname, search } = new URL(url);
  const bare = `${origin}${pathname}`;
  return [`${bare}${search}`, bare, ...(pathname === '/' ? [origin] : [])];
}

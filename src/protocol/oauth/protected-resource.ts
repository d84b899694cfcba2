import { ValidationError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';

/** Metadata of a protected resource: the members that are used here by name, and all others as they came. */
export interface ParsedResourceMetadata extends JsonObject {
  readonly resource: string;
  readonly authorization_servers?: readonly string[];
  readonly scopes_supported?: readonly string[];
}

/**
 * Checks an address of metadata that a challenge named: a resource speaks for its own origin, and for no other.
 * @param link the value of `resource_metadata`
 * @param url what was requested
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
 * Checks the metadata of a resource, found by its challenge: it must be that of the address that was requested.
 * @param url what was requested; its query and fragment may be left out of the identifier
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

/** An origin alone is written with and without its slash. */
function listIdentifiers(url: string): readonly string[] {
  const { origin, pathname, search } = new URL(url);
  const bare = `${origin}${pathname}`;
  return [`${bare}${search}`, bare, ...(pathname === '/' ? [origin] : [])];
}

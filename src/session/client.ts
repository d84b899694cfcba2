import type { JWK } from 'jose';
import { UsageError } from '../errors.ts';
import type { ClientAuthMethod, RegisteredClient } from '../protocol/oauth/client-authentication.ts';
import type { SettingName } from '../settings.ts';
import { warnAboutLiteral } from './option-values.ts';
import { readKeyFile } from './read-keys.ts';
import type { Session } from './session.ts';
import { parseAuthMethod } from './setting-checks.ts';
import { SETTING_SOURCES, type Settings } from './settings.ts';

/** Resolves `--client-secret`; warns if the secret itself was given in the arguments. */
async function resolveClientSecret(session: Session): Promise<string | undefined> {
  const setting = session.settings.find('clientSecret');
  if (setting === undefined) return undefined;
  if (setting.source === 'flag') warnAboutLiteral(session, setting.value);
  return session.ctx.secret(setting.value);
}

/**
 * Resolves the client and how it authenticates.
 * @throws UsageError if a setting is missing, or does not fit the client authentication method
 */
export async function resolveClient(session: Session): Promise<RegisteredClient> {
  const { settings } = session;
  const client_id = settings.require('clientId', 'the client');
  const client_secret = await resolveClientSecret(session);
  const method = resolveAuthMethod(settings);
  const isAssertion = method === 'client_secret_jwt' || method === 'private_key_jwt';
  const client_assertion =
    isAssertion && !isOutranked(settings, method) ? await resolveClientAssertion(session) : undefined;
  if (/tls_client_auth$/.test(method) && settings.get('cert') === undefined) {
    throw new UsageError(
      'client_certificate_missing',
      `${method} requires a client certificate, and none is given`,
      {
        hint: 'Give --cert FILE and --key FILE.',
      },
    );
  }
  return {
    client_id,
    client_secret,
    token_endpoint_auth_method: method,
    client_key:
      method === 'private_key_jwt' && client_assertion === undefined
        ? await readClientKey(session)
        : undefined,
    token_endpoint_auth_signing_alg: settings.get('signingAlg'),
    client_assertion,
    assertion_audience: settings.get('assertionAudience'),
  };
}

/** The default client authentication method of each credential; the first credential that is set decides. */
const METHOD_BY_CREDENTIAL = [
  ['clientAssertion', 'private_key_jwt'],
  ['clientKey', 'private_key_jwt'],
  ['clientSecret', 'client_secret_basic'],
] as const satisfies readonly (readonly [SettingName, ClientAuthMethod])[];

/** Resolves `--auth-method`. Without it, the credential that comes from the source of highest precedence decides. */
function resolveAuthMethod(settings: Settings): ClientAuthMethod {
  const given = settings.get('authMethod');
  if (given !== undefined) return parseAuthMethod(given);
  const found = METHOD_BY_CREDENTIAL.flatMap(([name, method]) => {
    const setting = settings.find(name);
    return setting === undefined ? [] : [{ method, strength: SETTING_SOURCES.indexOf(setting.source) }];
  });
  return found.sort((one, other) => one.strength - other.strength)[0]?.method ?? 'none';
}

/** Whether the key or secret for making an assertion has precedence over `--client-assertion`. */
function isOutranked(settings: Settings, method: ClientAuthMethod): boolean {
  const strength = (name: SettingName) => {
    const source = settings.find(name)?.source;
    return source === undefined ? SETTING_SOURCES.length : SETTING_SOURCES.indexOf(source);
  };
  return (
    strength(method === 'client_secret_jwt' ? 'clientSecret' : 'clientKey') < strength('clientAssertion')
  );
}

/** Resolves `--client-assertion`; removes the line break that a file often ends with. */
async function resolveClientAssertion(session: Session): Promise<string | undefined> {
  const setting = session.settings.find('clientAssertion');
  if (setting === undefined) return undefined;
  if (setting.source === 'flag') warnAboutLiteral(session, setting.value);
  const { pickToken } = await import('../protocol/jose/pick-token.ts');
  const text = await session.ctx.secret(setting.value);
  const { token, repairs } = pickToken(text, ['client_assertion'], 'the client assertion');
  session.ctx.redactor.know(token);
  for (const repair of repairs) session.reporter.warning(`the client assertion: ${repair}`);
  return token;
}

async function readClientKey({ settings, ctx }: Session): Promise<RegisteredClient['client_key']> {
  const file = settings.get('clientKey');
  if (file === undefined) return undefined;
  const { selectSigningKey } = await import('../protocol/jose/key.ts');
  return selectSigningKey(await readKeyFile(ctx, file), file, settings.get('kid'));
}

/**
 * Reads the file of `--decryption-key`, if it is set.
 * @throws UsageError as parseKeys and selectDecryptionKeys
 */
export async function readDecryptionKeys({ settings, ctx }: Session): Promise<readonly JWK[] | undefined> {
  const file = settings.get('decryptionKey');
  if (file === undefined) return undefined;
  const { selectDecryptionKeys } = await import('../protocol/jose/key.ts');
  return selectDecryptionKeys(await readKeyFile(ctx, file), file);
}

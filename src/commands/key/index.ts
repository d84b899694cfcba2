import { type Command, Option } from 'commander';
import type { JWK } from 'jose';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { renderJson } from '../../output/json.ts';
import { printable } from '../../output/printable.ts';
import type { KeyUse } from '../../protocol/jose/key.ts';
import { documentCommand, OFFLINE_GLOBALS } from '../../session/command-help.ts';
import { readKeyFile } from '../../session/read-keys.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';

interface KeyFlags {
  readonly alg?: string;
  readonly use?: KeyUse;
  readonly kid?: string;
  readonly out?: string;
  readonly format?: 'jwk' | 'pem';
  readonly force?: true;
}

/** `oauthctl key …` */
export function defineKey(command: Command, ctx: Context): void {
  const generate = command.command('generate').description('generate a key pair (RFC 7517, RFC 7518)');
  generate
    .option('--alg <alg>', 'RS256, PS256, ES256, EdDSA, … or RSA-OAEP-256, ECDH-ES, … (default: RS256)')
    .addOption(new Option('--use <use>', 'sig (signatures) or enc (encryption)').choices(['sig', 'enc']))
    .option('--kid <kid>', 'the key ID (default: its RFC 7638 thumbprint)')
    .option('--out <file>', 'the file for the private key, readable by you only')
    .addOption(
      new Option('--format <format>', 'format of the private key').choices(['jwk', 'pem']).default('jwk'),
    )
    .option('--force', 'replace the file')
    .action(() => runGenerate(ctx, generate));
  documentCommand(generate, {
    globals: OFFLINE_GLOBALS,
    examples: [
      'oauthctl key generate --out key.json',
      'oauthctl key generate --alg ES256 --format pem --out key.pem',
    ],
  });

  const show = command
    .command('show')
    .description('show the keys in a file: kid, kind, algorithm, use and public parts')
    .argument('<file>', 'PEM, JWK or JWK Set');
  show.action((file: string) => runShow(ctx, show, file));
  documentCommand(show, { globals: OFFLINE_GLOBALS, examples: ['oauthctl key show key.json'] });

  const jwks = command
    .command('jwks')
    .description('print the public JWK Set of keys, to register it at a server')
    .argument('<file...>', 'PEM, JWK or JWK Set');
  jwks
    .option('--alg <alg>', 'of the keys that do not name theirs')
    .addOption(new Option('--use <use>', 'of the keys that do not name theirs').choices(['sig', 'enc']))
    .action((files: readonly string[]) => runJwks(ctx, jwks, files));
  documentCommand(jwks, { globals: OFFLINE_GLOBALS, examples: ['oauthctl key jwks key.json next-key.json'] });
  documentCommand(command, {
    examples: ['oauthctl key generate --out key.json', 'oauthctl key jwks key.json'],
  });
}

async function runGenerate(base: Context, command: Command): Promise<void> {
  const session = await openKeySession(base, command);
  const { ctx, globals } = session;
  const flags = command.opts<KeyFlags>();
  const { generateKey, pickPublicPart, chooseKeyUse } = await import('../../protocol/jose/key.ts');
  const alg = flags.alg ?? (flags.use === 'enc' ? 'RSA-OAEP-256' : 'RS256');
  const use = chooseKeyUse(alg);
  if (flags.use !== undefined && use !== undefined && flags.use !== use) {
    throw new UsageError('use_unfit', `${alg} is an algorithm for "${use}", not for "${flags.use}"`);
  }
  if (flags.out === undefined && !globals.showSecrets) {
    throw new UsageError('out_missing', 'the file for the private key is missing', {
      hint: 'Give --out FILE, or print the key with --show-secrets.',
    });
  }
  const { jwk, pem } = await generateKey(alg, flags.kid);
  const text = flags.format === 'pem' ? pem.replace(/\n?$/, '\n') : renderJson(jwk);
  if (flags.out !== undefined) {
    const { writeSecretFile } = await import('../../store/secret-file.ts');
    await writeSecretFile(flags.out, text, { overwrite: flags.force === true });
  }
  const { kid, kty } = jwk;
  const result = {
    ...{ kid, kty, alg, use, file: flags.out, public_jwk: pickPublicPart(jwk) },
    ...(globals.showSecrets && (flags.format === 'pem' ? { private_pem: pem } : { private_jwk: jwk })),
  };
  if (flags.out === undefined && globals.field === undefined && !globals.json) ctx.io.out(text);
  else printResult(session, result, () => describe(result));
}

async function runShow(base: Context, command: Command, file: string): Promise<void> {
  const session = await openKeySession(base, command);
  const { isPrivate, computeKid, pickPublicPart, listSigningAlgs } = await import(
    '../../protocol/jose/key.ts'
  );
  const { keys } = await readKeyFile(session.ctx, file);
  const shown = await Promise.all(
    keys.map(async (jwk) => ({
      kid: await computeKid(jwk),
      kty: jwk.kty,
      alg: jwk.alg,
      use: jwk.use,
      signs_with: listSigningAlgs(jwk),
      private: isPrivate(jwk) || jwk.kty === 'oct',
      ...(jwk.kty !== 'oct' && { public_jwk: pickPublicPart(jwk) }),
      ...(session.globals.showSecrets && { private_jwk: jwk }),
    })),
  );
  printResult(session, { keys: shown }, () => shown.map(describe).join('\n'));
}

async function runJwks(base: Context, command: Command, files: readonly string[]): Promise<void> {
  const session = await openKeySession(base, command);
  const { computeKid, pickPublicPart, listSigningAlgs } = await import('../../protocol/jose/key.ts');
  const flags = command.opts<KeyFlags>();
  const keys: JWK[] = [];
  for (const file of files) {
    for (const jwk of (await readKeyFile(session.ctx, file)).keys) {
      const able = listSigningAlgs(jwk);
      const alg = jwk.alg ?? flags.alg ?? (able.length === 1 ? able[0] : undefined);
      // Keycloak ignores a key without "use".
      const use = jwk.use ?? flags.use ?? (able.length > 0 ? 'sig' : 'enc');
      keys.push({
        ...pickPublicPart(jwk),
        kid: await computeKid(jwk),
        ...(alg !== undefined && { alg }),
        use,
      });
    }
  }
  printResult(session, { keys }, () => renderJson({ keys }));
}

/** Renders the lines of one key, without missing members. */
function describe(key: {
  readonly public_jwk?: JWK;
  readonly private_jwk?: JWK;
  readonly [member: string]: unknown;
}): string {
  const { public_jwk, private_jwk, private_pem, ...members } = key as Record<string, unknown>;
  const parts = private_jwk ?? public_jwk ?? {};
  const lines = Object.entries({ ...members, ...(parts as object) }).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  const text = lines.map(([name, value]) => {
    const shown = typeof value === 'boolean' ? (value ? 'yes' : 'no') : [value].flat().map(String).join(' ');
    return `${printable(name).padEnd(11)} ${printable(shown)}\n`;
  });
  return `${text.join('')}${typeof private_pem === 'string' ? private_pem : ''}`;
}

/** Key commands use no server, so no profile is read. */
function openKeySession(base: Context, command: Command): Promise<Session> {
  return openSession(base, command, { withoutProfile: true });
}

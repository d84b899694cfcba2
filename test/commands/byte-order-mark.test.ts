import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pickPublicPart } from '../../src/protocol/jose/key.ts';
import { FakeClock } from '../helpers/fake-clock.ts';
import { CLIENT_ID, startMisbehavingServer } from '../helpers/misbehaving-server.ts';
import { machine } from '../helpers/run.ts';
import { keyFor, sign } from '../protocol/server-jwts.ts';

const MARK = '\ufeff';
const marked = (json: unknown) => ({
  text: `${MARK}${JSON.stringify(json)}`,
  headers: { 'content-type': 'application/json' },
});

describe('a byte order mark', () => {
  it('before an answer of the server is passed over with one warning', async () => {
    const clock = new FakeClock();
    const server = await startMisbehavingServer({
      clock,
      token: [marked({ access_token: 'the-access-token', token_type: 'Bearer' })],
    });
    const { run, addProfile, home } = await machine();
    await addProfile(server.issuer, '--client-id', CLIENT_ID);
    const secret = join(home, 'secret');
    await writeFile(secret, `${MARK}the-client-secret\n`);
    const result = await run('token', 'client-credentials', '--client-secret', `file:${secret}`);
    expect(result).toMatchObject({ code: 0 });
    const header = server.to('token')[0]?.headers.authorization ?? '';
    expect(Buffer.from(header.slice(6), 'base64').toString()).toBe(`${CLIENT_ID}:the-client-secret`);
    expect(result.stderr.match(/warning: the byte order mark/g)).toHaveLength(2);
    expect(result.stderr).toContain(`before the answer of ${server.issuer}/token was removed`);
  });

  it('before the keys, the token and a list of tenants is passed over', async () => {
    const { run, runWith, home } = await machine();
    const jwks = join(home, 'jwks.json');
    await writeFile(jwks, `${MARK}${JSON.stringify({ keys: [pickPublicPart(await keyFor('ES256'))] })}`);
    const token = join(home, 'token');
    await writeFile(token, Buffer.from(`${MARK}${await sign({ sub: 'a' })}\r\n`, 'utf16le'));
    const verified = await run('jwt', 'verify', `@${token}`, '--jwks', jwks);
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.stderr).toContain(
      `warning: the byte order mark at the beginning of ${token} was removed`,
    );
    expect(verified.stderr).toContain(`warning: the byte order mark at the beginning of ${jwks} was removed`);
    const piped = await runWith(
      { stdin: `${MARK}${await sign({ sub: 'a' })}` },
      'jwt',
      'verify',
      '--jwks',
      jwks,
    );
    expect(piped).toMatchObject({ code: 0 });
    expect(piped.stderr).toContain('a byte order mark before it was removed');
    const tenants = join(home, 'tenants.json');
    await writeFile(tenants, `${MARK}{"tenants":[{"issuer":"https://a.example","any_audience":true}]}`);
    expect(await run('serve', 'tenants', 'list', '--tenants', tenants)).toMatchObject({ code: 0 });
  });
});

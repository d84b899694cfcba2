import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderCurl } from '../../src/output/curl.ts';
import { Redactor } from '../../src/redact.ts';

const URL_OF = 'https://as.example/token';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

const render = (
  { headers = {}, ...fields }: { headers?: Record<string, string> } & Record<string, unknown>,
  redactor = new Redactor(),
  transport = {},
) =>
  renderCurl(
    {
      method: 'POST',
      url: URL_OF,
      headers: { ...FORM, ...headers },
      body: form(fields as Record<string, string>),
    },
    transport,
    redactor,
  );

/** The arguments that a shell makes of a command. */
async function shellArguments(command: string, env: Record<string, string>): Promise<string[]> {
  const script = `curl() { for argument; do printf '%s\\0' "$argument"; done; }\n${command}`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script], { env });
  return stdout.split('\0').slice(0, -1);
}

describe('a request as a curl command', () => {
  it('has every parameter, and secrets as shell variables', () => {
    const { command, variables } = render({
      grant_type: 'password',
      scope: 'openid email',
      password: "the user's",
      client_secret: 'top-secret',
    });
    expect(command).toBe(
      [
        `curl --request POST ${URL_OF} \\`,
        `  --header 'accept: application/json' \\`,
        `  --data-urlencode grant_type=password \\`,
        `  --data-urlencode 'scope=openid email' \\`,
        `  --data-urlencode password="$OAUTHCTL_PASSWORD" \\`,
        `  --data-urlencode client_secret="$OAUTHCTL_CLIENT_SECRET"\n`,
      ].join('\n'),
    );
    expect(variables).toEqual(['OAUTHCTL_PASSWORD', 'OAUTHCTL_CLIENT_SECRET']);
  });

  it('gives the client id of a Basic header, and not the secret', () => {
    const { command, variables } = render({ headers: { authorization: basic('a%3Ab', 's3cret') } });
    expect(command).toContain('--user a%3Ab:"$OAUTHCTL_CLIENT_SECRET"');
    expect(command).not.toContain(Buffer.from('s3cret').toString('base64').slice(0, 6));
    expect(variables).toEqual(['OAUTHCTL_CLIENT_SECRET']);
  });

  it('asks for the encoded secret where encoding changes it', () => {
    const { variables } = render({ headers: { authorization: basic('a', 'with%2Fslash') } });
    expect(variables).toEqual(['OAUTHCTL_CLIENT_SECRET_FORM_ENCODED']);
  });

  it('shows no value that is known as a secret, whatever its name', () => {
    const redactor = new Redactor();
    redactor.know('known-value');
    const { command } = render({ custom: 'a known-value inside', assertion: 'x' }, redactor);
    expect(command).toContain('custom="$OAUTHCTL_CUSTOM"');
    expect(command).not.toContain('known-value');
  });

  it('keeps the scheme of a bearer, and masks the body that is no form', () => {
    const headers = { authorization: 'Bearer abcdefghijklmnop', 'content-type': 'application/json' };
    const request = { method: 'POST', url: URL_OF, headers, body: '{"client_secret":"s3cret","a":1}' };
    const { command } = renderCurl(request, {}, new Redactor());
    expect(command).toContain('--header "authorization: Bearer $OAUTHCTL_ACCESS_TOKEN"');
    expect(command).toContain(`--data-raw '{"client_secret":"(masked)","a":1}'`);
  });

  it('shows all when that is asked for', () => {
    const shown = render(
      { client_secret: 'top-secret', headers: { authorization: basic('a', 's3cret') } },
      new Redactor(true),
    );
    expect(shown.command).toContain('--data-urlencode client_secret=top-secret');
    expect(shown.command).toContain('--user a:s3cret');
    expect(shown.variables).toEqual([]);
  });

  it('goes through the same certificates and proxy, without the password of it', () => {
    const transport = { caCert: 'my ca.pem', cert: 'c.pem', key: 'k.pem', insecure: true };
    const { command } = render({}, new Redactor(), { ...transport, proxy: 'http://u:pass@p.example' });
    for (const part of [`--cacert 'my ca.pem'`, '--cert c.pem', '--key k.pem', '--insecure'])
      expect(command).toContain(part);
    expect(command).toContain('--proxy "$OAUTHCTL_PROXY"');
    expect(render({}, new Redactor(), { proxy: 'http://p.example' }).command).toContain(
      '--proxy http://p.example',
    );
  });

  it('is read by a shell as it was meant', async () => {
    const odd = `it's "$HOME" \`id\` \\ é\n&=%`;
    const { command } = render({ note: odd, 'na me': '1', client_secret: 'x' });
    const args = await shellArguments(command, { OAUTHCTL_CLIENT_SECRET: 'a b$c', PATH: '/bin' });
    expect(args.slice(-6)).toEqual([
      ...['--data-urlencode', `note=${odd}`],
      ...['--data-urlencode', 'na%20me=1'],
      ...['--data-urlencode', 'client_secret=a b$c'],
    ]);
  });

  it('leaves a body that is no text to standard input, and asks for a head as curl does', () => {
    const bytes = { method: 'PUT', url: URL_OF, body: Uint8Array.of(0xff) };
    expect(renderCurl(bytes, {}, new Redactor()).command).toContain('--data-binary @-');
    const head = renderCurl({ method: 'HEAD', url: URL_OF }, {}, new Redactor());
    expect(head.command).toMatch(/^curl --head https/);
  });
});

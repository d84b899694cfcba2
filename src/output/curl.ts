import { isSecretName, maskBody, maskUrl, type Redactor } from '../redact.ts';

/** The parts of a request that are shown; compatible with the transport's type. */
interface ShownRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes if it is not text. */
  readonly body?: string | Uint8Array;
}

/** The configuration of the transport, with file names. */
export interface CurlTransport {
  readonly caCert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly proxy?: string | undefined;
  readonly insecure?: boolean | undefined;
}

export interface CurlCommand {
  /** Ends with a line break. */
  readonly command: string;
  /** The shell variables that the command reads, in order of their use. */
  readonly variables: readonly string[];
}

const FORM = /^application\/x-www-form-urlencoded\b/i;

/**
 * Renders a request as one curl command for a POSIX shell. Secrets are shell variables, unless the
 * redactor shows them.
 */
export function renderCurl(request: ShownRequest, transport: CurlTransport, redactor: Redactor): CurlCommand {
  const variables: string[] = [];
  const reference = (name: string) => {
    const variable = `OAUTHCTL_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`;
    if (!variables.includes(variable)) variables.push(variable);
    return `$${variable}`;
  };
  const isSecret = (name: string, value: string) =>
    !redactor.showSecrets && value !== '' && (isSecretName(name) || redactor.text(value) !== value);

  const header = (name: string, value: string): string[] => {
    if (name.toLowerCase() === 'content-type' && FORM.test(value)) return [];
    const credentials = /^Basic (\S+)$/.exec(value)?.[1];
    if (name.toLowerCase() === 'authorization' && credentials !== undefined) {
      const [id = '', secret = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
      if (redactor.showSecrets) return [`--user ${quote(`${id}:${secret}`)}`];
      // curl does not encode the credentials, but RFC 6749 section 2.3.1 requires it: the plain secret may be wrong.
      const encoded = /%|\+/.test(secret) ? 'client_secret_form_encoded' : 'client_secret';
      return [`--user ${quote(`${id}:`)}"${reference(encoded)}"`];
    }
    if (!isSecret(name, value)) return [`--header ${quote(`${name}: ${value}`)}`];
    const scheme = /^(\S+) \S+$/.exec(value)?.[1];
    const variable = scheme ? `${scheme} ${reference('access_token')}` : reference(name);
    return [`--header "${name}: ${variable}"`];
  };

  const body = (): string[] => {
    const { body: text = '', headers = {} } = request;
    if (typeof text !== 'string') return ['--data-binary @-'];
    if (text === '') return [];
    const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
    if (!FORM.test(type)) {
      const shown = redactor.showSecrets ? text : redactor.text(maskBody(text, type));
      return [`--data-raw ${quote(shown)}`];
    }
    return [...new URLSearchParams(text)].map(([name, value]) => {
      const field = `${encodeURIComponent(name)}=`;
      return isSecret(name, value)
        ? `--data-urlencode ${quote(field)}"${reference(name)}"`
        : `--data-urlencode ${quote(`${field}${value}`)}`;
    });
  };

  const file = (flag: string, path: string | undefined) =>
    path === undefined ? [] : [`${flag} ${quote(path)}`];
  const proxy = () => {
    if (transport.proxy === undefined) return [];
    const hasPassword = !redactor.showSecrets && maskUrl(transport.proxy) !== transport.proxy;
    return [`--proxy ${hasPassword ? `"${reference('proxy')}"` : quote(transport.proxy)}`];
  };
  const parts = [
    `curl ${request.method === 'HEAD' ? '--head' : `--request ${request.method}`} ${quote(request.url)}`,
    ...file('--cacert', transport.caCert),
    ...file('--cert', transport.cert),
    ...file('--key', transport.key),
    ...proxy(),
    ...(transport.insecure ? ['--insecure'] : []),
    ...Object.entries({ accept: 'application/json', ...request.headers }).flatMap(([name, value]) =>
      header(name, value),
    ),
    ...body(),
  ];
  return { command: `${parts.join(' \\\n  ')}\n`, variables };
}

/** Quotes a word for a POSIX shell, if necessary. */
function quote(text: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
